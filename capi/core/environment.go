package main

// #include "abi.h"
// extern char **environ;
import "C"

import (
	"os"
	"strings"
	"sync"
	"unsafe"

	"github.com/librserpool/librserpool/core/socket"
)

const settingPrefix = "RSERPOOL_"

var environmentLock sync.Mutex

// importEnvironment makes core/socket see the program's environment as it is
// now. The Go runtime copies it when it is loaded, and then as it was when the
// program was started: without what setenv(3) has changed since.
func importEnvironment() {
	environmentLock.Lock()
	defer environmentLock.Unlock()
	now := make(map[string]string)
	for p := C.environ; p != nil && *p != nil; p = (**C.char)(unsafe.Add(unsafe.Pointer(p), unsafe.Sizeof(p))) {
		name, value, _ := strings.Cut(C.GoString(*p), "=")
		if strings.HasPrefix(name, settingPrefix) {
			now[name] = value
		}
	}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if _, set := now[name]; !set && strings.HasPrefix(name, settingPrefix) {
			os.Unsetenv(name)
		}
	}
	for name, value := range now {
		if known, set := os.LookupEnv(name); !set || known != value {
			os.Setenv(name, value)
		}
	}
}

//export rspgo_init
func rspgo_init(space *C.struct_rspgo_error) C.int {
	return C.int(call(space, "rsp_init", func() (int64, error) {
		importEnvironment()
		return 0, socket.Preload()
	}))
}
