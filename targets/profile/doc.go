// Package profile is what a user writes about a gateway, as data: where it is, which endpoints it offers, its keys, models
// and limits, and recipes for circumstances. [Load] reads a YAML file and reports mistakes by file, line and column;
// [FromURL] makes the profile of a bare URL; [Profile.Secrets] lists what no log may show.
//
// The package sends nothing and opens nothing but the file it is asked to read.
package profile
