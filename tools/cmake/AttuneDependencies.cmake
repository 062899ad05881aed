# LLVM and MLIR 22 as shared libraries, Halide 21, nlohmann-json and CLI11.
find_package(MLIR REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
find_package(LLVM REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/llvm)

# Halide lies in the wheel that tools/quickstart and tools/test install, unless Halide_DIR says
# otherwise. Its Python bindings and image readers are not used.
if(NOT Halide_DIR)
  file(GLOB ATTUNE_HALIDE_WHEEL
    ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/halide/lib64/cmake)
endif()
set(CMAKE_DISABLE_FIND_PACKAGE_Halide_Python ON)
find_package(Halide 21 REQUIRED CONFIG COMPONENTS Halide shared
  HINTS ${ATTUNE_HALIDE_WHEEL}/Halide)

find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Threads REQUIRED)

list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND ${LLVM_DEFINITIONS})
add_definitions(${LLVM_DEFINITIONS_LIST})
