package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// step is one part of an edit's path: a member's name, or an element's index when name is "".
type step struct {
	name  string
	index int
}

func (s step) String() string {
	if s.name != "" {
		return s.name
	}
	return "[" + strconv.Itoa(s.index) + "]"
}

var (
	pathForm = regexp.MustCompile(`^[^.\[\]]+(\.[^.\[\]]+|\[\d{1,6}\])*$`)
	pathStep = regexp.MustCompile(`[^.\[\]]+|\[\d+\]`)
)

func parsePath(path string) ([]step, error) {
	if !pathForm.MatchString(path) {
		return nil, fmt.Errorf("%w: path %q is not of the form a.b[0].c", ErrEdit, path)
	}
	var steps []step
	for _, part := range pathStep.FindAllString(path, -1) {
		if part[0] != '[' {
			steps = append(steps, step{name: part})
			continue
		}
		index, err := strconv.Atoi(part[1 : len(part)-1])
		if err != nil {
			return nil, fmt.Errorf("%w: path %q: %w", ErrEdit, path, err)
		}
		steps = append(steps, step{index: index})
	}
	return steps, nil
}

// apply returns the body with the edit made. The body is changed in place; the edit's value is copied, so that a call
// can be sent from many goroutines at once.
func (e Edit) apply(body any) (any, error) {
	steps, err := parsePath(e.Path)
	if err != nil {
		return nil, err
	}
	var value any
	if !e.Delete {
		if value, err = plain(e.Value); err != nil {
			return nil, fmt.Errorf("%w: value for %q: %w", ErrEdit, e.Path, err)
		}
	}
	edited, err := e.at(body, steps, value)
	if err != nil {
		return nil, fmt.Errorf("%w: path %q: %w", ErrEdit, e.Path, err)
	}
	return edited, nil
}

// at makes the edit below node and returns what stands in node's place afterwards.
func (e Edit) at(node any, steps []step, value any) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	here, last := steps[0], len(steps) == 1
	if here.name != "" {
		return e.inObject(node, here.name, last, steps[1:], value)
	}
	return e.inArray(node, here, last, steps[1:], value)
}

func (e Edit) inObject(node any, name string, last bool, rest []step, value any) (any, error) {
	if node == nil && !e.Delete {
		node = map[string]any{}
	}
	object, ok := node.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%q is wanted of something that is no object", name)
	}
	child, present := object[name]
	if e.Delete && !present {
		return nil, fmt.Errorf("there is no %q to delete", name)
	}
	if e.Delete && last {
		delete(object, name)
		return object, nil
	}
	edited, err := e.at(child, rest, value)
	if err != nil {
		return nil, err
	}
	object[name] = edited
	return object, nil
}

func (e Edit) inArray(node any, here step, last bool, rest []step, value any) (any, error) {
	array, ok := node.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is wanted of something that is no array", here)
	}
	if !e.Delete && here.index == len(array) {
		array = append(array, nil)
	}
	if here.index >= len(array) {
		return nil, fmt.Errorf("%s is beyond the array's %d elements", here, len(array))
	}
	if e.Delete && last {
		return append(array[:here.index], array[here.index+1:]...), nil
	}
	edited, err := e.at(array[here.index], rest, value)
	if err != nil {
		return nil, err
	}
	array[here.index] = edited
	return array, nil
}

// plain rewrites a value as maps, slices and numbers of the value's own spelling, which share nothing with it.
func plain(value any) (any, error) {
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
