package main

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// urlVariable names the gateway where neither the command line nor its profile does.
const urlVariable = "GATECERT_URL"

// variableOf is the environment variable of a flag, "" where it has none. All flags of run and watch have one, and those of the other
// commands that call a gateway which say what gateway that is.
func variableOf(command string, flag *kong.Flag) string {
	switch name, _, _ := strings.Cut(command, " "); {
	case flag.Name == "help":
		return ""
	case name == "run", name == "watch", name == "report" && flag.Name == "lang", slices.Contains([]string{"load", "replay"}, name) && slices.Contains([]string{"target", "key", "model", "claim", "allow-actions"}, flag.Name):
		return "GATECERT_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
	default:
		return ""
	}
}

// commandOf are the words of a command below the program's name: "load capacity".
func commandOf(node *kong.Node) string {
	var words []string
	for ; node != nil && node.Type == kong.CommandNode; node = node.Parent {
		words = append([]string{node.Name}, words...)
	}
	return strings.Join(words, " ")
}

// fromEnvironment gives a flag that the command line leaves out the value of its variable. One that is empty counts as unset: CI
// systems set what they have no value for.
func fromEnvironment(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	variable := variableOf(commandOf(parent.Node()), flag)
	value := os.Getenv(variable)
	if variable == "" || value == "" {
		return nil, nil
	}
	url, target := given(ctx)
	switch flag.Name {
	case "target":
		if url { // what the command line names is tested
			return nil, nil
		}
		if os.Getenv(urlVariable) != "" {
			return nil, fmt.Errorf("$%s and $%s both specify a gateway: unset one of the two", urlVariable, variable)
		}
	case "model":
		if !url && (target || os.Getenv(urlVariable) == "") {
			return nil, nil
		}
	}
	scratch := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value}), scratch); err != nil {
		return nil, fmt.Errorf("$%s: %s", variable, strings.TrimPrefix(err.Error(), "--"+flag.Name+": "))
	}
	return value, nil
}

// given reports whether the command line names a gateway by a URL or by a profile.
func given(ctx *kong.Context) (url, target bool) {
	for _, p := range ctx.Path {
		url = url || p.Positional != nil && p.Positional.Name == "url"
		target = target || p.Flag != nil && p.Flag.Name == "target" && !p.Resolved
	}
	return url, target
}

// AfterApply implements kong's hook. It reads the gateway's URL from the environment.
func (f *targetFlags) AfterApply() error {
	if f.URL == "" && f.Target == "" {
		f.URL = os.Getenv(urlVariable)
	}
	return nil
}

// twoVariables are the variable that [nameVariables] names, and the one that kong names after it.
var twoVariables = regexp.MustCompile(`(\(\$\w+)\) \((\$\w+\))`)

// withVariables is the help of a flag with the variables that it is read from, in the order in which they count.
func withVariables(value *kong.Value) string {
	return twoVariables.ReplaceAllString(kong.DefaultHelpValueFormatter(value), "$1, then $2")
}

// nameVariables adds the variables to the help of the flags and arguments that are read from them.
func nameVariables(root *kong.Node) error {
	return kong.Visit(root, func(node kong.Visitable, next kong.Next) error {
		command, ok := node.(*kong.Node)
		if !ok || command.Type != kong.CommandNode {
			return next(nil)
		}
		name := commandOf(command)
		for _, flag := range command.Flags {
			if variable := variableOf(name, flag); variable != "" {
				flag.Help = strings.TrimSuffix(flag.Help, ".") + " ($" + variable + ")."
			}
		}
		for _, argument := range command.Positional {
			if argument.Name == "url" && variableOf(name, &kong.Flag{Value: &kong.Value{Name: "target"}}) != "" {
				argument.Help = strings.TrimSuffix(argument.Help, ".") + " ($" + urlVariable + ")."
			}
		}
		return next(nil)
	})
}
