// Package version names this build.
package version

// Version is the tool's version as it stands in every log.
const Version = "0.2.0"

// Tool is the tool's name and version: "gatecert 0.2.0".
const Tool = "gatecert " + Version
