option(RSERPOOL_WERROR "Treat warnings as errors" OFF)

# The C code of this project compiles without any of these, with gcc and clang.
function(rserpool_warnings target)
	target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wstrict-prototypes -Wmissing-prototypes
		-Wshadow -Wconversion $<$<BOOL:${RSERPOOL_WERROR}>:-Werror>)
endfunction()
