package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// A fault is one change of one file: text[from:to] becomes with.
type fault struct {
	pkg      string // import path
	file     string // as it is shown
	path     string // where it lies
	text     string // of the whole file
	from, to int
	with     string
	removed  bool // the statement does nothing now
}

// faulty is the text of the file with its fault.
func (f *fault) faulty() string { return f.text[:f.from] + f.with + f.text[f.to:] }

// line is the line on which the fault begins.
func (f *fault) line() int { return 1 + strings.Count(f.text[:f.from], "\n") }

// String says "before -> after", of the lines in which the fault lies.
func (f *fault) String() string {
	if f.removed {
		return oneLine(f.text[f.from:f.to]) + " -> (removed)"
	}
	begin := strings.LastIndexByte(f.text[:f.from], '\n') + 1
	end := len(f.text)
	if n := strings.IndexByte(f.text[f.to:], '\n'); n >= 0 {
		end = f.to + n
	}
	return oneLine(f.text[begin:end]) + " -> " + oneLine(f.text[begin:f.from]+f.with+f.text[f.to:end])
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// faultsIn returns all faults that one knows to make in a file, in the order of
// its text. Whether they compile only the compiler can say.
func faultsIn(file, text string) ([]*fault, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	m := maker{file: file, text: text, fset: fset}
	ast.Inspect(tree, func(n ast.Node) bool {
		m.expression(n)
		m.statement(n)
		return true
	})
	return m.faults, nil
}

type maker struct {
	file, text string
	fset       *token.FileSet
	doubled    *ast.BasicLit // the number of the last duration
	faults     []*fault
}

func (m *maker) offset(pos token.Pos) int { return m.fset.Position(pos).Offset }

func (m *maker) source(n ast.Node) string { return m.text[m.offset(n.Pos()):m.offset(n.End())] }

// replace adds the fault that puts text in place of what stands at pos.
func (m *maker) replace(pos token.Pos, old, with string) *fault {
	from := m.offset(pos)
	f := &fault{file: m.file, text: m.text, from: from, to: from + len(old), with: with}
	m.faults = append(m.faults, f)
	return f
}

// otherOperators are the operators that are mistaken for each other: the bounds
// of comparisons, opposites, and signs.
var otherOperators = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
	token.EQL: "!=", token.NEQ: "==",
	token.LAND: "||", token.LOR: "&&",
	token.ADD: "-", token.SUB: "+",
}

func (m *maker) expression(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if d := duration(n); d != nil {
			m.replace(d.Pos(), d.Value, "(2 * "+d.Value+")")
			m.doubled = d
		}
		if other := otherOperators[n.Op]; other != "" {
			m.replace(n.OpPos, n.Op.String(), other)
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 1 {
			switch f.Name {
			case "min":
				m.replace(f.Pos(), "min", "max")
			case "max":
				m.replace(f.Pos(), "max", "min")
			}
		}
	case *ast.BasicLit:
		m.number(n)
	}
}

// duration finds the number of an expression like 5 * time.Second.
func duration(n *ast.BinaryExpr) *ast.BasicLit {
	number, _ := n.X.(*ast.BasicLit)
	unit, ok := n.Y.(*ast.SelectorExpr)
	if !ok || n.Op != token.MUL {
		return nil
	}
	if of, ok := unit.X.(*ast.Ident); !ok || of.Name != "time" {
		return nil
	}
	return number
}

// number makes a number one too large, and one too small where it stays above or
// at 0.
func (m *maker) number(n *ast.BasicLit) {
	if n.Kind != token.INT || n == m.doubled {
		return
	}
	m.replace(n.Pos(), n.Value, "("+n.Value+" + 1)")
	if v, err := strconv.ParseUint(n.Value, 0, 64); err == nil && v > 0 {
		m.replace(n.Pos(), n.Value, "("+n.Value+" - 1)")
	}
}

func (m *maker) statement(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		m.negate(n.Cond)
	case *ast.ForStmt:
		m.negate(n.Cond)
	case *ast.SwitchStmt:
		m.cases(n)
	case *ast.BranchStmt:
		switch n.Tok {
		case token.BREAK:
			m.replace(n.Pos(), "break", "continue")
		case token.CONTINUE:
			m.replace(n.Pos(), "continue", "break")
		}
	case *ast.BlockStmt:
		m.remove(n.List)
	case *ast.CaseClause:
		m.remove(n.Body)
	case *ast.CommClause:
		m.remove(n.Body)
	}
}

// negate turns a condition round. A lone == has its != as an operator already.
func (m *maker) negate(cond ast.Expr) {
	if b, ok := cond.(*ast.BinaryExpr); cond == nil || ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return
	}
	s := m.source(cond)
	m.replace(cond.Pos(), s, "!("+s+")")
}

// cases negates the conditions of a switch that has no value to compare with.
func (m *maker) cases(s *ast.SwitchStmt) {
	if s.Tag != nil {
		return
	}
	for _, c := range s.Body.List {
		for _, cond := range c.(*ast.CaseClause).List {
			m.negate(cond)
		}
	}
}

// remove takes out each statement that does something but declare a name. It is
// left to be compiled, so that what it uses still is in use. The early end of a
// function goes as well; at its very end there must be one.
func (m *maker) remove(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt, *ast.ReturnStmt:
		default:
			continue
		}
		text := m.source(s)
		m.replace(s.Pos(), text, "if false { "+text+" }").removed = true
	}
}
