package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABuildIsNamedByWhatItRecords(t *testing.T) {
	vcs := func(settings ...string) (out []debug.BuildSetting) {
		for i := 0; i < len(settings); i += 2 {
			out = append(out, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return out
	}
	commit := "0a1727c5d3f1aa0000000000000000000000dead"
	own := func(version string) debug.Module { return debug.Module{Path: module, Version: version} }
	embedder := debug.Module{Path: "example.com/gateway", Version: "v7.0.0"}
	for _, c := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"go build without version control", debug.BuildInfo{Main: own("(devel)")}, Number},
		{"go test", debug.BuildInfo{Main: own("")}, Number},
		{"a build from a checkout", debug.BuildInfo{
			Main:     own("v0.2.1-0.20261129151500-0a1727c5d3f1"),
			Settings: vcs("vcs.revision", commit, "vcs.time", "2026-11-29T15:15:00Z", "vcs.modified", "false"),
		}, Number + " (0a1727c5d3f1, 2026-11-29)"},
		{"a build from a changed checkout", debug.BuildInfo{
			Main:     own("v0.2.1-0.20261129151500-0a1727c5d3f1+dirty"),
			Settings: vcs("vcs.revision", commit, "vcs.time", "2026-11-29T23:59:59+14:00", "vcs.modified", "true"),
		}, Number + " (0a1727c5d3f1, modified, 2026-11-29)"},
		{"a release", debug.BuildInfo{
			Main: own("v9.8.7"), Settings: vcs("vcs.revision", commit, "vcs.time", "2026-11-29T15:15:00Z"),
		}, "9.8.7 (0a1727c5d3f1, 2026-11-29)"},
		{"a release candidate", debug.BuildInfo{Main: own("v9.8.7-rc.1")}, "9.8.7-rc.1"},
		{"a tag on a changed checkout", debug.BuildInfo{Main: own("v9.8.7+dirty"), Settings: vcs("vcs.modified", "true")}, "9.8.7 (modified)"},
		{"go install of a release", debug.BuildInfo{Main: own("v9.8.7")}, "9.8.7"},
		{"go install of a commit", debug.BuildInfo{Main: own("v0.0.0-20261129151500-0a1727c5d3f1")}, Number + " (0a1727c5d3f1, 2026-11-29)"},
		{"a program that embeds a release", debug.BuildInfo{
			Main: embedder, Deps: []*debug.Module{{Path: "other", Version: "v1.0.0"}, {Path: module, Version: "v9.8.7"}},
			Settings: vcs("vcs.revision", "feed", "vcs.modified", "true"),
		}, "9.8.7"},
		{"a program that embeds a checkout", debug.BuildInfo{
			Main: embedder, Deps: []*debug.Module{{Path: module, Version: "v9.8.7", Replace: &debug.Module{Path: "../gatecert"}}},
		}, Number},
		{"a date that is none", debug.BuildInfo{Main: own("(devel)"), Settings: vcs("vcs.time", "yesterday")}, Number},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, of(&c.info).String()) })
	}
}

func TestAFileIsReadByTheSchemaOfItsBuild(t *testing.T) {
	const base = "https://raw.githubusercontent.com/gatecert/gatecert/"
	for want, b := range map[string]Build{
		"v9.8.7/docs/schema/profile.schema.json":       {Version: "9.8.7", released: true, Commit: "0a1727c5d3f1"},
		"0a1727c5d3f1/docs/schema/profile.schema.json": {Version: "9.8.7", Commit: "0a1727c5d3f1"},
		"main/docs/schema/profile.schema.json":         {Version: "9.8.7", released: true, Modified: true},
	} {
		require.Equal(t, base+want, b.Schema("profile"))
	}
}
