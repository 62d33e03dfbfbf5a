// Command runc-without-resources runs runc on a host that has no CAP_SYS_RESOURCE: it takes out of a container's
// specification what such a host cannot give (the capability, raised limits, negative out-of-memory scores).
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const runc = "/usr/sbin/runc"

type object = map[string]any

func relax(process object) {
	if sets, ok := process["capabilities"].(object); ok {
		for name, set := range sets {
			if list, ok := set.([]any); ok {
				sets[name] = slices.DeleteFunc(list, func(c any) bool { return c == "CAP_SYS_RESOURCE" })
			}
		}
	}
	if score, ok := process["oomScoreAdj"].(float64); ok && score < 0 {
		process["oomScoreAdj"] = 0
	}
	delete(process, "rlimits")
}

// edit rewrites one specification file; `process` finds the part of it that describes the process.
func edit(path string, process func(object) object) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var spec object
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	if part := process(spec); part != nil {
		relax(part)
	}
	if text, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func run(arguments []string) error {
	for i, argument := range arguments[:max(0, len(arguments)-1)] {
		var err error
		switch argument {
		case "--bundle", "-b":
			err = edit(filepath.Join(arguments[i+1], "config.json"), func(spec object) object {
				part, _ := spec["process"].(object)
				return part
			})
		case "--process", "-p":
			err = edit(arguments[i+1], func(spec object) object { return spec })
		}
		if err != nil {
			return err
		}
	}
	return syscall.Exec(runc, append([]string{"runc"}, arguments...), os.Environ())
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runc-without-resources:", err)
		os.Exit(1)
	}
}
