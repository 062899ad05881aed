# What `cmake --install` puts below the prefix, in two components:
#   runtime   headers, libattune_runtime.a, libattune_tensors.a, the pkg-config files; no LLVM, no Halide
#   compiler  bin/attune, libattune_compiler.so with its header, their copy of Halide; man page, shell
#             completions, JSON Schema
# Both hold the CMake package. The folders are fixed: bin/attune looks for the runtime in ../lib.
# Every path is relative to the installed files, so the prefix may be moved as a whole.
include(CMakePackageConfigHelpers)
set(ATTUNE_PACKAGE_DIR lib/cmake/attune)

# ---- runtime ----------------------------------------------------------------------------------
set_target_properties(attune_runtime PROPERTIES EXPORT_NAME runtime)
set_target_properties(attune_tensors PROPERTIES EXPORT_NAME tensors)
install(TARGETS attune_runtime attune_tensors EXPORT attuneRuntimeTargets
  ARCHIVE DESTINATION lib COMPONENT runtime
  INCLUDES DESTINATION include)
install(DIRECTORY runtime/include/attune DESTINATION include COMPONENT runtime)
install(EXPORT attuneRuntimeTargets NAMESPACE attune:: DESTINATION ${ATTUNE_PACKAGE_DIR}
  COMPONENT runtime)
foreach(library IN ITEMS attune-runtime attune-tensors)
  configure_file(tools/cmake/${library}.pc.in ${library}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${library}.pc DESTINATION lib/pkgconfig COMPONENT runtime)
endforeach()

# ---- compiler ---------------------------------------------------------------------------------
# Halide comes from a Python wheel that need not stay, so the compiler takes a copy along, in a
# folder of its own: other programs' Halide is not replaced. LLVM and MLIR stay where Debian's
# packages have them.
set_target_properties(attune PROPERTIES
  INSTALL_RPATH "$ORIGIN/../lib/attune;${LLVM_LIBRARY_DIR}")
set_target_properties(attune_compiler PROPERTIES
  EXPORT_NAME compiler
  INSTALL_RPATH "$ORIGIN/attune;${LLVM_LIBRARY_DIR}")
install(TARGETS attune attune_compiler EXPORT attuneCompilerTargets
  RUNTIME DESTINATION bin COMPONENT compiler
  LIBRARY DESTINATION lib COMPONENT compiler
  INCLUDES DESTINATION include)
install(DIRECTORY compiler/api/include/attune DESTINATION include COMPONENT compiler)
configure_file(tools/cmake/attune-compiler.pc.in attune-compiler.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/attune-compiler.pc
  DESTINATION lib/pkgconfig COMPONENT compiler)
install(IMPORTED_RUNTIME_ARTIFACTS Halide::Halide
  LIBRARY DESTINATION lib/attune COMPONENT compiler)
install(EXPORT attuneCompilerTargets NAMESPACE attune:: DESTINATION ${ATTUNE_PACKAGE_DIR}
  COMPONENT compiler)
install(FILES ${Halide_DIR}/../../../share/doc/Halide/LICENSE.txt
  DESTINATION share/doc/attune RENAME LICENSE-Halide COMPONENT compiler OPTIONAL)
install(FILES tools/cmake/AttuneAddAttention.cmake DESTINATION ${ATTUNE_PACKAGE_DIR}
  COMPONENT compiler)

# What other programs read of the compiler: `attune print WHAT`, as share/FOLDER/NAME.
function(attune_install_printed what folder name)
  set(file ${PROJECT_BINARY_DIR}/share/${folder}/${name})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/${folder})
  add_custom_command(OUTPUT ${file} COMMAND attune print ${what} > ${file} DEPENDS attune VERBATIM)
  set_property(TARGET attune_printed APPEND PROPERTY SOURCES ${file})
  install(FILES ${file} DESTINATION share/${folder} COMPONENT compiler)
endfunction()
add_custom_target(attune_printed ALL)
# An instrumented compiler may need an environment that only its tests have.
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  attune_install_printed(man man/man1 attune.1)
  attune_install_printed(schema attune attune.schema.json)
  attune_install_printed(bash-completion bash-completion/completions attune)
  attune_install_printed(zsh-completion zsh/site-functions _attune)
  attune_install_printed(fish-completion fish/vendor_completions.d attune.fish)
endif()

# ---- both -------------------------------------------------------------------------------------
configure_package_config_file(tools/cmake/attuneConfig.cmake.in attuneConfig.cmake
  INSTALL_DESTINATION ${ATTUNE_PACKAGE_DIR})
write_basic_package_version_file(attuneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
foreach(component IN ITEMS runtime compiler)
  install(FILES ${PROJECT_BINARY_DIR}/attuneConfig.cmake
                ${PROJECT_BINARY_DIR}/attuneConfigVersion.cmake
    DESTINATION ${ATTUNE_PACKAGE_DIR} COMPONENT ${component})
  install(FILES LICENSE DESTINATION share/doc/attune COMPONENT ${component})
endforeach()
