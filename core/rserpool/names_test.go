package rserpool

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// aliases are the names of types that are declared where a reader of the documentation
// does not get to.
var aliases = map[string]reflect.Type{
	"PEID": reflect.TypeFor[PEID](), "ServerID": reflect.TypeFor[ServerID](), "PolicyType": reflect.TypeFor[PolicyType](),
	"TransportProtocol": reflect.TypeFor[TransportProtocol](), "CauseCode": reflect.TypeFor[CauseCode](),
	"Notifications": reflect.TypeFor[Notifications](), "NotificationType": reflect.TypeFor[NotificationType](),
	"SessionState": reflect.TypeFor[SessionState](),
}

// TestAliasesAreExplained: go doc shows of an alias neither what is behind it nor its
// methods, so its comment has to.
func TestAliasesAreExplained(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			d, ok := d.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				continue
			}
			for _, s := range d.Specs {
				if s := s.(*ast.TypeSpec); s.Assign != 0 && s.Name.IsExported() {
					found++
					explains(t, s.Name.Name, d.Doc.Text())
				}
			}
		}
	}
	if found != len(aliases) {
		t.Errorf("%d aliases, %d are known here", found, len(aliases))
	}
}

func explains(t *testing.T, name, doc string) {
	typ := aliases[name]
	if typ == nil {
		t.Errorf("%s is not known here", name)
		return
	}
	if !strings.Contains(doc, "is a "+typ.Kind().String()) {
		t.Errorf("the comment of %s does not say that it is a %v", name, typ.Kind())
	}
	pointer := reflect.PointerTo(typ)
	for i := range pointer.NumMethod() {
		m := pointer.Method(i).Name
		if !strings.Contains(doc, " "+name+") "+m+"(") && !strings.Contains(doc, " *"+name+") "+m+"(") {
			t.Errorf("the comment of %s does not tell of its method %s", name, m)
		}
	}
}
