module github.com/librserpool/librserpool

go 1.25.0
