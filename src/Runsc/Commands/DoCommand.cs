using Moat.Host;
using Moat.Oci;
using Moat.Runtime;
using Runsc.Flags;
using System.Collections;
using System.Globalization;

namespace Runsc.Commands;

/// <summary><c>do</c>: run a command in a sandbox that sees the host's files and cannot change them.</summary>
internal sealed class DoCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "do";

    /// <inheritdoc/>
    public string Usage => "[flags] <command> [arguments...]";

    /// <inheritdoc/>
    public string Summary => "run a command in a sandbox that sees the host's files and cannot change them";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("root", FlagKind.Text, "/", "directory that becomes the root"),
        new("cwd", FlagKind.Text, "", "working directory (default: the current one)"),
        new("quiet", FlagKind.Boolean, "false", "accepted, has no effect"),
        new("force-overlay", FlagKind.Boolean, "true", "writes stay in memory", ["true"]),
        new("ip", FlagKind.Text, "192.168.10.2", "accepted, has no effect"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        if (flags.Arguments.Count == 0)
        {
            throw new RuntimeException("do: a command is needed");
        }

        string root = Path.GetFullPath(flags.Text("root"));
        string id = string.Create(CultureInfo.InvariantCulture, $"runsc-{Environment.ProcessId}-{Random.Shared.Next(1_000_000):D6}");
        OciSpec spec = MakeSpec(flags, root);
        if (SpecValidator.Validate(spec) is { } fault)
        {
            throw new RuntimeException($"do: {fault}");
        }

        // No limits are set, so no cgroup is needed.
        RuntimeOptions options = context.Options with { IgnoreCgroups = true };
        return ForegroundRun.Run(options, new CreateOptions { Id = id, Bundle = root, Spec = spec }, context.Errors.Warning);
    }

    // As the caller: the same user, groups of its own namespace aside, the same environment and directory.
    private static OciSpec MakeSpec(FlagSet flags, string root)
    {
        uint uid = HostIdentity.Uid;
        List<string> environment = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment.Add($"{variable.Key}={variable.Value}");
        }

        IReadOnlyList<string> capabilities = uid == 0 ? CapabilityNames.All : [];
        return new OciSpec
        {
            OciVersion = SpecVersions.Newest,
            Root = new OciRoot { Path = root, Readonly = false },
            Hostname = Environment.MachineName,
            Process = new OciProcess
            {
                Args = flags.Arguments,
                Env = environment,
                Cwd = flags.TextOrNull("cwd") ?? (root == "/" ? Environment.CurrentDirectory : "/"),
                User = new OciUser { Uid = uid, Gid = HostIdentity.Gid },
                Terminal = false,
                Capabilities = new OciCapabilities { Bounding = capabilities, Effective = capabilities, Permitted = capabilities },
            },
            Mounts =
            [
                new OciMount { Destination = "/proc", Type = "proc", Source = "proc" },
                new OciMount { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755"] },
                new OciMount { Destination = "/dev/pts", Type = "devpts", Source = "devpts", Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
                new OciMount { Destination = "/dev/shm", Type = "tmpfs", Source = "shm", Options = ["nosuid", "noexec", "nodev", "mode=1777"] },
                new OciMount { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
                new OciMount { Destination = "/tmp", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "nodev", "mode=1777"] },
            ],
            Linux = new OciLinux
            {
                Namespaces =
                [
                    new OciNamespace { Type = "pid" }, new OciNamespace { Type = "network" }, new OciNamespace { Type = "ipc" },
                    new OciNamespace { Type = "uts" }, new OciNamespace { Type = "mount" },
                ],
            },
        };
    }
}
