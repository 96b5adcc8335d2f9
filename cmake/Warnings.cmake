option(RSERPOOL_WERROR "Treat warnings as errors" OFF)

# The C code of this project compiles without any of these, with gcc and clang.
function(rserpool_warnings target)
	target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wstrict-prototypes -Wmissing-prototypes
		-Wshadow -Wconversion $<$<BOOL:${RSERPOOL_WERROR}>:-Werror>)
endfunction()

# For make asan: the C code of this project, not the Go core.
option(RSERPOOL_SANITIZE "Build the C code with AddressSanitizer and UBSan" OFF)
if(RSERPOOL_SANITIZE)
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
	add_link_options(-fsanitize=address,undefined)
endif()
