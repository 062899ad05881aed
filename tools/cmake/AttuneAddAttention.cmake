# attune_add_attention(TARGET target CONFIG file.json [TARGETS cpu ...] [SET key=value ...]
#                      [WEIGHTS file [PREFIX prefix]] [DATABASE file])
#
# Compiles a configuration with attune while `target` is built: the object becomes a part of the
# target, NAME.h can be included by its sources, and the target links attune::runtime. NAME is the
# configuration's key `name`. The object is made again when the configuration or the compiler changes.
#
#   TARGET   an executable or library of this project; one may have several configurations
#   CONFIG   the configuration, relative to the current source folder
#   TARGETS  the CPUs to compile for, of `attune targets`; the object runs the code of the one with the
#            most features that the CPU has. Without it the compiler's default
#   SET      keys that differ from the file: SET forward.is_causal=true module.num_heads=8
#   WEIGHTS  a file of parameters that become a part of the object, relative to the current source
#            folder; without it the application packs them at run time
#   PREFIX   what the parameters' names in that file start with
#   DATABASE a database of measured schedules that the object gets its schedule from, relative to the
#            current source folder. Without it only schedules that come with attune are looked at, not
#            the database of whoever builds, so that the same sources give the same object
#
# `target` may have been made in another folder of the project.

# The key `name` after SET. A name that is no C identifier is left for the compiler to refuse.
function(_attune_module_name result config overrides)
  file(READ "${config}" text)
  string(JSON name ERROR_VARIABLE ignored GET "${text}" name)
  foreach(override IN LISTS overrides)
    if(override MATCHES "^name=\"?([^\"]*)\"?$")
      set(name "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  if(NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    set(name attention)
  endif()
  set(${result} "${name}" PARENT_SCOPE)
endfunction()

# Stops at a call that cannot be meant; expects the caller's parsed arguments.
function(_attune_check_arguments)
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES OR NOT arg_TARGET OR NOT arg_CONFIG)
    set(found "${ARGN}")
    list(JOIN found " " found)
    message(FATAL_ERROR
      "attune_add_attention(${found}): expected "
      "TARGET target CONFIG file.json [TARGETS cpu ...] [SET key=value ...] "
      "[WEIGHTS file [PREFIX prefix]] [DATABASE file]")
  endif()
  if(NOT TARGET ${arg_TARGET})
    message(FATAL_ERROR
      "attune_add_attention: TARGET ${arg_TARGET} is no target of this project; "
      "add_executable or add_library must come first")
  endif()
  if(arg_PREFIX AND NOT arg_WEIGHTS)
    message(FATAL_ERROR
      "attune_add_attention: PREFIX ${arg_PREFIX} without WEIGHTS; expected the file that it is for")
  endif()
  foreach(needed IN ITEMS attune::attune attune::runtime)
    if(NOT TARGET ${needed})
      message(FATAL_ERROR
        "attune_add_attention: there is no target ${needed} here; "
        "call find_package(attune COMPONENTS compiler) in this folder or one above it")
    endif()
  endforeach()
endfunction()

function(attune_add_attention)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET;CONFIG;WEIGHTS;PREFIX;DATABASE" "TARGETS;SET")
  _attune_check_arguments(${ARGN})
  get_filename_component(config "${arg_CONFIG}" ABSOLUTE)
  if(NOT EXISTS "${config}")
    message(FATAL_ERROR "attune_add_attention: CONFIG ${config} does not exist")
  endif()
  # The file decides the names of the outputs.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${config}")
  _attune_module_name(name "${config}" "${arg_SET}")
  if(TARGET ${arg_TARGET}_attune_${name})
    message(FATAL_ERROR
      "attune_add_attention: TARGET ${arg_TARGET} has a configuration named ${name} already; "
      "give this one another name, for example SET name=${name}2")
  endif()

  set(options "")
  set(weights "")
  set(database "")
  if(arg_TARGETS)
    list(JOIN arg_TARGETS "," targets)
    list(APPEND options --target "${targets}")
  endif()
  if(arg_WEIGHTS)
    get_filename_component(weights "${arg_WEIGHTS}" ABSOLUTE)
    if(NOT EXISTS "${weights}")
      message(FATAL_ERROR "attune_add_attention: WEIGHTS ${weights} does not exist")
    endif()
    list(APPEND options --weights "${weights}")
    if(arg_PREFIX)
      list(APPEND options --prefix "${arg_PREFIX}")
    endif()
  endif()
  if(arg_DATABASE)
    get_filename_component(database "${arg_DATABASE}" ABSOLUTE)
    if(NOT EXISTS "${database}")
      message(FATAL_ERROR "attune_add_attention: DATABASE ${database} does not exist")
    endif()
    list(APPEND options --db "${database}")
  else()
    # A file that does not exist is an empty database. No name at all would switch off attune's own, too.
    list(APPEND options --db "${CMAKE_CURRENT_BINARY_DIR}/attune/no-database.jsonl")
  endif()
  foreach(override IN LISTS arg_SET)
    list(APPEND options --set "${override}")
  endforeach()

  set(directory "${CMAKE_CURRENT_BINARY_DIR}/attune/${arg_TARGET}")
  set(files "${directory}/${name}.o" "${directory}/${name}.h")
  add_custom_command(
    OUTPUT ${files} "${directory}/${name}.json"
    COMMAND attune::attune compile "${config}" -o "${directory}" ${options}
    DEPENDS "${config}" ${weights} ${database} attune::attune
    COMMENT "Compiling attention ${name} for ${arg_TARGET}"
    VERBATIM)
  # Orders a target of another folder, to which the command above is unknown.
  add_custom_target(${arg_TARGET}_attune_${name} DEPENDS ${files})
  add_dependencies(${arg_TARGET} ${arg_TARGET}_attune_${name})
  set_source_files_properties(${files} TARGET_DIRECTORY ${arg_TARGET} PROPERTIES GENERATED ON)
  set_source_files_properties("${directory}/${name}.o" TARGET_DIRECTORY ${arg_TARGET}
    PROPERTIES EXTERNAL_OBJECT ON)
  target_sources(${arg_TARGET} PRIVATE ${files})
  target_include_directories(${arg_TARGET} PRIVATE "${directory}")
  target_link_libraries(${arg_TARGET} PRIVATE attune::runtime)
endfunction()
