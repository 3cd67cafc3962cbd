package clientlog

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
)

// Behaviour is the behaviour of one version of a client, without times. The behaviour of a new version is compared with it.
type Behaviour struct {
	Client, Package, Version string
	// Lines contains the client's behaviour by case, or by probe and endpoint.
	Lines map[string]Did
}

// Did is the behaviour of a client in one call.
type Did struct{ Marks, Sentence string }

// Behaviours returns the behaviour of the clients in a log, in the log's order.
func Behaviours(l Log) []Behaviour {
	var list []Behaviour
	for _, client := range l.Clients {
		b := Behaviour{oneWord(client.Name), oneWord(client.Package), oneWord(client.Version), map[string]Did{}}
		for _, c := range l.Calls {
			if c.Client != client.Name {
				continue
			}
			name := c.Case
			if name == "" {
				name = probePrefix + c.Probe + "/" + string(c.Surface)
			}
			b.Lines[plain.Text(name, maxText)] = Did{Marks(c), Sentence(c)}
		}
		list = append(list, b)
	}
	return list
}

// oneWord is a name without spaces, "-" for none.
func oneWord(s string) string {
	return cmp.Or(strings.Join(strings.Fields(plain.Text(s, maxWord)), "_"), "-")
}

// probePrefix begins the name of a probe among cases.
const probePrefix = "probe:"

// ProbeLine returns the name of a probe's line, without its endpoint.
func ProbeLine(probe string) string { return probePrefix + probe + "/" }

// Write writes one line for the client and one for each call.
func (b Behaviour) Write(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "# %s %s %s\n", b.Client, b.Package, b.Version); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.Lines)) {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", name, b.Lines[name].Marks, b.Lines[name].Sentence); err != nil {
			return err
		}
	}
	return nil
}

// ReadBehaviour reads the output of [Behaviour.Write]. For any other input, it returns [ErrLog].
func ReadBehaviour(r io.Reader) (Behaviour, error) {
	b := Behaviour{Lines: map[string]Did{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			words := strings.Fields(lines.Text())
			if len(words) != 4 || words[0] != "#" {
				return b, fmt.Errorf("%w: line 1 must be # followed by the client, its library and the library's version", ErrLog)
			}
			b.Client, b.Package, b.Version = words[1], words[2], words[3]
			continue
		}
		parts := strings.Split(lines.Text(), "\t")
		if len(parts) != 3 {
			return b, fmt.Errorf("%w: line %d must have three tab-separated fields: the case, one mark per request (●, ○ or ×), and a sentence that says what the client did", ErrLog, n)
		}
		b.Lines[parts[0]] = Did{parts[1], parts[2]}
	}
	if err := lines.Err(); err != nil {
		return b, fmt.Errorf("%w: %w", ErrLog, err)
	}
	return b, nil
}

// Drift writes how the behaviour of the clients in a log differs from an earlier log, with a line before and a line after for each call. It compares
// only calls that are in both logs, and reports whether any differ.
func Drift(w io.Writer, before, after Log) (differ bool, err error) {
	var out strings.Builder
	earlier := Behaviours(before)
	compared := 0
	for _, now := range Behaviours(after) {
		i := slices.IndexFunc(earlier, func(b Behaviour) bool { return b.Client == now.Client })
		if i < 0 {
			continue
		}
		var lines strings.Builder
		both, others := 0, 0
		for _, name := range slices.Sorted(maps.Keys(now.Lines)) {
			was, known := earlier[i].Lines[name]
			if !known {
				continue
			}
			if both++; was != now.Lines[name] {
				others++
				fmt.Fprintf(&lines, "  %s\n    - %s %s\n    + %s %s\n", name, was.Marks, was.Sentence, now.Lines[name].Marks, now.Lines[name].Sentence)
			}
		}
		compared += both
		if others > 0 {
			fmt.Fprintf(&out, "drift: %s %s behaves differently from the recorded version %s in %d of %s\n%s", now.Client, now.Version, earlier[i].Version, others, plain.Count(both, "call"), lines.String())
			differ = true
		} else if now.Version != earlier[i].Version {
			fmt.Fprintf(&out, "%s %s behaves the same as the recorded version %s in %s\n", now.Client, now.Version, earlier[i].Version, plain.Count(both, "call"))
		}
	}
	if !differ {
		fmt.Fprintf(&out, "no differences from the recorded behaviour (%s compared)\n", plain.Count(compared, "call"))
	}
	_, err = io.WriteString(w, out.String())
	return differ, err
}
