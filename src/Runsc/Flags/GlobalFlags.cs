namespace Runsc.Flags;

/// <summary>The flags before the subcommand: gVisor's, so that its integrations work unchanged. Those whose function is not there yet accept only the value that asks for nothing;
/// those that tune how gVisor does something (and change no result) are accepted and have no effect.</summary>
internal static class GlobalFlags
{
    private const string NoEffect = "accepted, has no effect";
    private const string NotYet = "not supported yet";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<FlagDefinition> All =
    [
        // Docker passes these to every runtime.
        new("root", FlagKind.Text, "", "directory for the state of containers (default: /var/run/runsc, or a directory of the user's own)"),
        new("log", FlagKind.Text, "", "file for errors"),
        new("log-format", FlagKind.Text, "text", "format of the log: text, json or json-k8s", ["text", "json", "json-k8s"]),
        new("debug", FlagKind.Boolean, "false", "write details to the debug log"),
        new("systemd-cgroup", FlagKind.Boolean, "false", "cgroup paths have systemd's form, slice:prefix:name"),

        new("version", FlagKind.Boolean, "false", "print the version"),
        new("help", FlagKind.Boolean, "false", "print the commands", Alias: "h"),
        new("debug-log", FlagKind.Text, "", "debug log: a file, or a directory if it ends with /; %ID%, %COMMAND% and %TIMESTAMP% are replaced"),
        new("debug-log-dir", FlagKind.Text, "", "directory for one debug log for each process; it is made if it is missing"),
        new("strace", FlagKind.Boolean, "false", "print system calls to the debug log; to standard error for do without one"),
        new("strace-syscalls", FlagKind.Text, "", "print only these, separated by commas"),
        new("strace-log-size", FlagKind.Number, "1024", "how many bytes of a buffer are printed"),
        new("platform", FlagKind.Text, "", "how application code is run: systrap or ptrace (default: systrap where the host allows it)", ["ptrace", "systrap"]),
        new("systrap-disable-syscall-patching", FlagKind.Boolean, "false", "leave the application's code as it is; its system calls cost more"),
        new("systrap-disable-spinning", FlagKind.Boolean, "false", "let the kernel and the application wait for one another without using a processor"),
        new("network", FlagKind.Text, "sandbox", "sandbox, host or none", ["sandbox", "host", "none"]),
        new("rootless", FlagKind.Boolean, "false", "work without privileges"),
        new("overlay2", FlagKind.Text, "root:self", "where writes to the container's files go: none, or {root|all}:{memory|self}"),
        new("overlay", FlagKind.Boolean, "false", "the same as --overlay2=all:memory"),
        new("file-access", FlagKind.Text, "exclusive", "who else changes the root: exclusive (nobody) or shared", ["exclusive", "shared"]),
        new("file-access-mounts", FlagKind.Text, "shared", "who else changes bind mounts: exclusive (nobody) or shared", ["exclusive", "shared"]),
        new("oci-seccomp", FlagKind.Boolean, "false", "load the configuration's seccomp filter on the container's processes"),
        new("ignore-cgroups", FlagKind.Boolean, "false", "leave cgroups alone"),

        Text("TESTONLY-bug-in-syscall", "", "for tests: the kernel fails at this system call"),
        Boolean("TESTONLY-count-allocations", "for tests: the debug log says in the end what system calls allocated"),

        Text("debug-log-format", "text", NoEffect),
        Text("debug-command", "", NoEffect),
        Boolean("debug-to-user-log", NoEffect),
        Boolean("alsologtostderr", NoEffect),
        Text("panic-log", "", NoEffect),
        Text("coverage-report", "", NoEffect),
        Text("traceback", "system", NoEffect),
        Boolean("log-packets", NoEffect),
        Text("watchdog-action", "logWarning", NoEffect),
        Number("panic-signal", "-1", NoEffect),
        Text("ref-leak-mode", "disabled", NoEffect),
        Boolean("gso", NoEffect),
        Boolean("software-gso", NoEffect),
        Text("gvisor-gro", "false", NoEffect),
        Boolean("tx-checksum-offload", NoEffect),
        Boolean("rx-checksum-offload", NoEffect),
        Text("qdisc", "fifo", NoEffect),
        Number("num-network-channels", "1", NoEffect),
        Number("network-processors-per-channel", "0", NoEffect),
        Boolean("net-raw", NoEffect),
        Boolean("allow-packet-socket-write", NoEffect),
        Boolean("reproduce-nat", NoEffect),
        Boolean("reproduce-nftables", NoEffect),
        Boolean("net-disconnect-ok", NoEffect),
        Boolean("allow-live-tcp-migration", NoEffect),
        Boolean("allow-connected-on-save", NoEffect),
        Boolean("directfs", NoEffect),
        Number("dcache", "-1", NoEffect),
        Number("fdlimit", "-1", NoEffect),
        Boolean("app-huge-pages", NoEffect),
        Boolean("cpu-num-from-quota", NoEffect),
        Boolean("enable-core-tags", NoEffect),
        Text("host-settings", "check", NoEffect),
        Boolean("gvisor-marker-file", NoEffect),
        Text("control-rpc-stop-timeout", "15s", NoEffect),
        Text("restore-spec-validation", "enforce", NoEffect),
        Boolean("systrap-disable-fast-path", NoEffect),
        Boolean("buffer-pooling", NoEffect),
        Boolean("vfs2", NoEffect),
        Boolean("fuse", NoEffect),
        Boolean("lisafs", NoEffect),
        Boolean("cgroupfs", NoEffect),
        Boolean("fsgofer-host-uds", NoEffect),
        Boolean("save-restore-netstack", NoEffect),

        new("host-uds", FlagKind.Text, "none", "sockets of the host on mounts; " + NotYet, ["none"]),
        new("host-fifo", FlagKind.Text, "none", "FIFOs of the host on mounts; " + NotYet, ["none"]),
        new("allow-suid", FlagKind.Boolean, "false", NotYet, ["false"]),
        new("profile", FlagKind.Boolean, "false", NotYet, ["false"]),
        new("nvproxy", FlagKind.Boolean, "false", NotYet, ["false"]),
        new("tpuproxy", FlagKind.Boolean, "false", NotYet, ["false"]),
        new("mount-cgroup-v2", FlagKind.Boolean, "false", NotYet, ["false"]),
        new("metric-server", FlagKind.Text, "", NotYet, [""]),
        new("pod-init-config", FlagKind.Text, "", NotYet, [""]),
        new("pcap-log", FlagKind.Text, "", NotYet, [""]),
        new("allow-flag-override", FlagKind.Boolean, "false", NotYet, ["false"]),
    ];

    private static FlagDefinition Boolean(string name, string help) => new(name, FlagKind.Boolean, "false", help);

    private static FlagDefinition Text(string name, string value, string help) => new(name, FlagKind.Text, value, help);

    private static FlagDefinition Number(string name, string value, string help) => new(name, FlagKind.Number, value, help);
}
