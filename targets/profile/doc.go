// Package profile represents what a user writes about a gateway: its URL, the endpoints that it offers, its keys, models and limits, and recipes for
// circumstances. [Load] reads a YAML file and reports mistakes by file, line and column; [FromURL] returns the profile for a URL alone;
// [Profile.Secrets] lists the values that no log may show.
//
// The package sends nothing, and opens only the file that its caller names.
package profile
