package rserpool

// Version is the version of the library and its tool.
const Version = "0.1.0"
