// Package watch certifies a target again and again: it plays a run at an interval, keeps the last runs and the history of their
// outcomes in a folder, tells each change once, and serves all of it to browsers and to Prometheus.
//
// It plays nothing itself: [Config].Play does. A gateway that cannot be reached, or that cannot be judged, is an outcome as good
// as any other.
package watch
