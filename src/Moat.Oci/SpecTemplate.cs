using System.Text;
using System.Text.Json;

namespace Moat.Oci;

/// <summary>The configuration that <c>spec</c> writes for a start.</summary>
public static class SpecTemplate
{
    private static readonly string[] s_capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

    /// <summary>Makes the configuration.</summary>
    /// <param name="arguments">The program and its arguments.</param>
    /// <param name="cwd">The working directory in the container.</param>
    /// <param name="networkNamespace">A network namespace to join, or null for a new one.</param>
    /// <param name="isTerminal">Whether the program has a terminal.</param>
    public static OciSpec Create(IReadOnlyList<string> arguments, string cwd, string? networkNamespace, bool isTerminal) => new()
    {
        OciVersion = SpecVersions.Newest,
        Process = new OciProcess
        {
            Terminal = isTerminal,
            Args = arguments,
            Env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            Cwd = cwd,
            Capabilities = new OciCapabilities { Bounding = s_capabilities, Effective = s_capabilities, Permitted = s_capabilities },
            Rlimits = [new OciRlimit { Type = "RLIMIT_NOFILE", Hard = 1024, Soft = 1024 }],
            NoNewPrivileges = true,
        },
        Root = new OciRoot { Path = "rootfs", Readonly = true },
        Hostname = "runsc",
        Mounts = StandardMounts(),
        Linux = new OciLinux
        {
            Namespaces =
            [
                new OciNamespace { Type = "pid" },
                new OciNamespace { Type = "network", Path = networkNamespace ?? "" },
                new OciNamespace { Type = "ipc" },
                new OciNamespace { Type = "uts" },
                new OciNamespace { Type = "mount" },
            ],
        },
    };

    /// <summary>The text of a configuration.</summary>
    public static string Write(OciSpec spec) => Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(spec, OciJson.Default.OciSpec)) + "\n";

    /// <summary>The mounts that every Linux program may expect.</summary>
    public static IReadOnlyList<OciMount> StandardMounts() =>
    [
        new OciMount { Destination = "/proc", Type = "proc", Source = "proc" },
        new OciMount { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755", "size=65536k"] },
        new OciMount { Destination = "/dev/pts", Type = "devpts", Source = "devpts", Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
        new OciMount { Destination = "/dev/shm", Type = "tmpfs", Source = "shm", Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
        new OciMount { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
    ];
}
