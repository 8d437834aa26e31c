package host

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Options are what stands under `host:` in a module.
type Options struct {
	Window time.Duration // over which CPU usage is measured
	PerCPU bool          // CPU seconds of every core instead of their sum
	Groups []string      // what is read
	Root   string        // where the machine's / is mounted; "" for where it belongs

	ExcludeMountpoints     *regexp.Regexp
	ExcludeFilesystemTypes *regexp.Regexp
	ExcludeDisks           *regexp.Regexp
	ExcludeInterfaces      *regexp.Regexp
}

// Mount points of the system's own and of containers, whose numbers are those
// of the file system below them; file systems that ask a server, which may keep
// the question waiting for ever; disks that are memory or part of another disk;
// the ends of container networks.
var (
	defaultExcludeMountpoints     = regexp.MustCompile(`^/(dev|proc|sys|run|snap|var/lib/(docker|containers|kubelet))(/|$)`)
	defaultExcludeFilesystemTypes = regexp.MustCompile(`^(9p|afs|autofs|ceph|cifs|fuse\..+|lustre|nfs4?|nsfs|smb3?|smbfs|squashfs|virtiofs|webdav)$`)
	defaultExcludeDisks           = regexp.MustCompile(`^((loop|ram|zram|fd|sr)\d+|([hsv]|xv)d[a-z]+\d+|(nvme\d+n|mmcblk)\d+p\d+)$`)
	defaultExcludeInterfaces      = regexp.MustCompile(`^(veth|cali|lxc).*$`)
)

// Decode reads the options from the configuration; an empty `host:` takes the
// defaults.
func (o *Options) Decode(d *options.Decoder, n *yaml.Node) {
	*o = Options{
		Window:                 250 * time.Millisecond,
		Groups:                 groupNames(),
		ExcludeMountpoints:     defaultExcludeMountpoints,
		ExcludeFilesystemTypes: defaultExcludeFilesystemTypes,
		ExcludeDisks:           defaultExcludeDisks,
		ExcludeInterfaces:      defaultExcludeInterfaces,
	}
	if options.IsNull(n) {
		return
	}
	d.Mapping(n, `"host"`, options.Fields{
		"window":                   d.Duration(&o.Window),
		"per_cpu":                  d.Bool(&o.PerCPU),
		"groups":                   o.decodeGroups(d),
		"root":                     d.File(&o.Root),
		"exclude_mountpoints":      d.Regexp(&o.ExcludeMountpoints),
		"exclude_filesystem_types": d.Regexp(&o.ExcludeFilesystemTypes),
		"exclude_disks":            d.Regexp(&o.ExcludeDisks),
		"exclude_interfaces":       d.Regexp(&o.ExcludeInterfaces),
	})
}

func (o *Options) decodeGroups(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		o.Groups = nil
		d.Sequence(n, `"groups"`, func(item *yaml.Node) {
			var name string
			d.Enum(&name, groupNames()...)(item)
			if name != "" && !slices.Contains(o.Groups, name) {
				o.Groups = append(o.Groups, name)
			}
		})
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			d.Errorf(n, `"groups" is empty, expected some of %s`, strings.Join(groupNames(), ", "))
		}
	}
}
