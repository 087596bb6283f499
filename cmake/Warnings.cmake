# ctflow_warnings(TARGET): the warnings that the project is kept clean of.
function(ctflow_warnings target)
  target_compile_options(
    ${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                      $<$<BOOL:${CTFLOW_WERROR}>:-Werror>)
endfunction()
