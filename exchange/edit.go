package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// pathElem is one element of the path of an edit: the name of a member, or the index of an array element when name is "".
type pathElem struct {
	name  string
	index int
}

func (s pathElem) String() string {
	if s.name != "" {
		return s.name
	}
	return "[" + strconv.Itoa(s.index) + "]"
}

var (
	pathForm     = regexp.MustCompile(`^[^.\[\]]+(\.[^.\[\]]+|\[\d{1,6}\])*$`)
	pathElemForm = regexp.MustCompile(`[^.\[\]]+|\[\d+\]`)
)

func parsePath(path string) ([]pathElem, error) {
	if !pathForm.MatchString(path) {
		return nil, fmt.Errorf("%w: path %q does not have the form a.b[0].c", ErrEdit, path)
	}
	var steps []pathElem
	for _, part := range pathElemForm.FindAllString(path, -1) {
		if part[0] != '[' {
			steps = append(steps, pathElem{name: part})
			continue
		}
		index, err := strconv.Atoi(part[1 : len(part)-1])
		if err != nil {
			return nil, fmt.Errorf("%w: path %q: %w", ErrEdit, path, err)
		}
		steps = append(steps, pathElem{index: index})
	}
	return steps, nil
}

// apply applies the edit to the body, in place where that is possible, and returns the result. It copies the value of the
// edit, so that many goroutines can send the same call.
func (e Edit) apply(body any) (any, error) {
	steps, err := parsePath(e.Path)
	if err != nil {
		return nil, err
	}
	var value any
	if !e.Delete {
		if value, err = copyJSON(e.Value); err != nil {
			return nil, fmt.Errorf("%w: value for %q: %w", ErrEdit, e.Path, err)
		}
	}
	edited, err := e.applyAt(body, steps, value)
	if err != nil {
		return nil, fmt.Errorf("%w: path %q: %w", ErrEdit, e.Path, err)
	}
	return edited, nil
}

// applyAt applies the edit below node and returns what replaces node.
func (e Edit) applyAt(node any, steps []pathElem, value any) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	here, last := steps[0], len(steps) == 1
	if here.name != "" {
		return e.applyToObject(node, here.name, last, steps[1:], value)
	}
	return e.applyToArray(node, here, last, steps[1:], value)
}

func (e Edit) applyToObject(node any, name string, last bool, rest []pathElem, value any) (any, error) {
	if node == nil && !e.Delete {
		node = map[string]any{}
	}
	object, ok := node.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the parent of %q is not an object", name)
	}
	child, present := object[name]
	if e.Delete && !present {
		return nil, fmt.Errorf("there is no %q to delete", name)
	}
	if e.Delete && last {
		delete(object, name)
		return object, nil
	}
	edited, err := e.applyAt(child, rest, value)
	if err != nil {
		return nil, err
	}
	object[name] = edited
	return object, nil
}

func (e Edit) applyToArray(node any, here pathElem, last bool, rest []pathElem, value any) (any, error) {
	array, ok := node.([]any)
	if !ok {
		return nil, fmt.Errorf("the parent of %s is not an array", here)
	}
	if !e.Delete && here.index == len(array) {
		array = append(array, nil)
	}
	if here.index >= len(array) {
		noun := "elements"
		if len(array) == 1 {
			noun = "element"
		}
		return nil, fmt.Errorf("%s is out of range: the array has %d %s", here, len(array), noun)
	}
	if e.Delete && last {
		return append(array[:here.index], array[here.index+1:]...), nil
	}
	edited, err := e.applyAt(array[here.index], rest, value)
	if err != nil {
		return nil, err
	}
	array[here.index] = edited
	return array, nil
}

// copyJSON returns a deep copy of a value as maps, slices and json.Numbers.
func copyJSON(value any) (any, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var out any
	err = decoder.Decode(&out)
	return out, err
}
