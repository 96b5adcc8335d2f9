find_program(GO_EXECUTABLE go HINTS /usr/local/go/bin /usr/lib/go/bin REQUIRED)

# rserpool_go(target package output CGO_ENABLED=x [flags...]) builds a Go package
# into go/<output> of the build tree. The go command knows best what has changed,
# so it is always asked; what comes out the same is not touched.
function(rserpool_go target package output cgo)
	set(dir ${PROJECT_BINARY_DIR}/go)
	add_custom_target(${target} ALL
		COMMAND ${CMAKE_COMMAND} -E make_directory ${dir}/new
		COMMAND ${CMAKE_COMMAND} -E env ${cgo} ${GO_EXECUTABLE} build -trimpath -buildvcs=false -ldflags=-w ${ARGN}
			-o ${dir}/new/${output} ${package}
		COMMAND ${CMAKE_COMMAND} -E copy_if_different ${dir}/new/${output} ${dir}/${output}
		BYPRODUCTS ${dir}/${output}
		WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
		COMMENT "Building ${package} with go"
		VERBATIM)
endfunction()
