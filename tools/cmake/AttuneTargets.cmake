# Warnings are errors in our own code; headers of others are SYSTEM.
add_compile_options(-Wall -Wextra -Werror $<$<COMPILE_LANGUAGE:CXX>:-Wno-unused-parameter>)

# attune_add_library(NAME SOURCES...): a static library of compiler/. Its headers are included by their
# path from compiler/ or from the repository root, generated ones by the same path.
function(attune_add_library name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/compiler
                                            ${PROJECT_BINARY_DIR}/compiler)
endfunction()
