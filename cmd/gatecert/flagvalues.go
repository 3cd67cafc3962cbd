package main

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/gatecert/gatecert/internal/yamlfile"
)

// numberMappers read durations and numbers. Other than kong's, they take -5 for a number and not for a flag, and their errors say what
// to write.
func numberMappers() []kong.Option {
	return []kong.Option{
		kong.TypeMapper(reflect.TypeFor[time.Duration](), mapperOf("duration", func(text string) (any, error) { return durationOf(text) })),
		kong.KindMapper(reflect.Int, mapperOf("whole number", func(text string) (any, error) {
			n, err := strconv.Atoi(text)
			if err != nil {
				return n, fmt.Errorf("%.40q is not a whole number: use a number such as 10", text)
			}
			return n, nil
		})),
		kong.KindMapper(reflect.Uint64, mapperOf("whole number", func(text string) (any, error) {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return n, fmt.Errorf("%.40q is not 0 or a positive whole number: use a number such as 10", text)
			}
			return n, nil
		})),
		kong.KindMapper(reflect.Float64, mapperOf("number", func(text string) (any, error) {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return f, fmt.Errorf("%.40q is not a number: use a number such as 10 or 0.5", text)
			}
			return f, nil
		})),
	}
}

// mapperOf returns a mapper for the values that parse reads.
func mapperOf(what string, parse func(string) (any, error)) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		token := ctx.Scan.Pop()
		text, isText := token.Value.(string)
		if !isText {
			return fmt.Errorf("the flag has no value: add a %s after the flag", what)
		}
		value, err := parse(text)
		if err != nil {
			if !token.IsValue() {
				return fmt.Errorf("the flag has no value (the next argument is %.40q): add a %s after the flag", text, what)
			}
			return err
		}
		target.Set(reflect.ValueOf(value).Convert(target.Type()))
		return nil
	}
}

func durationOf(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && len(text) < 10 {
		return 0, fmt.Errorf("%q has no unit: use %ss, %sm or %sh", text, text, text, text)
	}
	return 0, fmt.Errorf("%.40q is not a duration: use a number with a unit, such as 30s, 15m or 2h", text)
}

// notOneOf matches kong's words about a value that a flag does not have.
var notOneOf = regexp.MustCompile(`^(\S+) must be one of (.*) but got "(.*)"$`)

// parseFault is what is wrong with a command line, where kong's words for it say too little.
func parseFault(err error) string {
	text := err.Error()
	if missing, ok := strings.CutPrefix(text, "expected one of "); ok {
		return "a command is missing: add one of " + strings.ReplaceAll(missing, `"`, "")
	}
	if missing, ok := strings.CutPrefix(text, "expected "); ok {
		return "an argument is missing: " + strings.Trim(missing, `"`)
	}
	if missing, ok := strings.CutPrefix(text, "missing flags: "); ok {
		return "a flag is missing: add " + missing
	}
	if parts := notOneOf.FindStringSubmatch(text); parts != nil {
		known := strings.Split(strings.Trim(parts[2], `"`), `","`)
		return fmt.Sprintf("%s: invalid value %q: %s", parts[1], parts[3], yamlfile.DidYouMean(parts[3], known, "must be one of "+strings.Join(known, ", ")))
	}
	return text
}

// helpFor names the help of the command whose command line is faulty.
func helpFor(err error) string {
	if fault, ok := errors.AsType[*kong.ParseError](err); ok {
		for node := fault.Context.Selected(); node != nil; node = node.Parent {
			if node.Type == kong.CommandNode {
				return "To see the arguments and flags, run gatecert " + commandOf(node) + " --help."
			}
		}
	}
	return "To see the commands, run gatecert --help. To see the flags of a command, run gatecert COMMAND --help."
}
