using System.Collections;
using System.Globalization;
using Moat.Host;
using Moat.Oci;
using Moat.Runtime;
using Runsc.Flags;

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
        if (!Directory.Exists(root))
        {
            throw new RuntimeException($"do: flag -root: {root} is not a directory");
        }

        AbandonedRuns.Sweep(context.Options, static _ => { });
        CreateOptions create = new() { Id = AbandonedRuns.NewId(), Bundle = root, Spec = MakeSpec(flags, root, context.Options.Sandbox.Network) };
        // The configuration is not the user's: what it asks for in vain is nothing to tell.
        return ForegroundRun.Run(context.Options with { IgnoreCgroups = true }, create, static _ => { }, isJob: true);
    }

    // The caller's root and environment; a user of an ordinary account is root in the sandbox, as the only one there is.
    private static OciSpec MakeSpec(FlagSet flags, string root, string network)
    {
        List<string> environment = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment.Add($"{variable.Key}={variable.Value}");
        }

        string[] all = [.. CapabilityNames.All];
        return new OciSpec
        {
            OciVersion = SpecVersions.Newest,
            Root = new OciRoot { Path = root, Readonly = false },
            Hostname = "moat",
            Process = new OciProcess
            {
                Args = flags.Arguments,
                Env = environment,
                Cwd = flags.TextOrNull("cwd") ?? (root == "/" ? Environment.CurrentDirectory : "/"),
                Capabilities = new OciCapabilities { Bounding = all, Effective = all, Permitted = all },
                Rlimits = InheritedLimits(),
            },
            Mounts =
            [
                new OciMount { Destination = "/proc", Type = "proc", Source = "proc", Options = ["nosuid", "nodev", "noexec"] },
                new OciMount { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "mode=755", "size=65536k"] },
                new OciMount { Destination = "/dev/pts", Type = "devpts", Source = "devpts", Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
                new OciMount { Destination = "/dev/shm", Type = "tmpfs", Source = "shm", Options = ["nosuid", "nodev", "mode=1777"] },
                new OciMount { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "nodev", "noexec", "ro"] },
                new OciMount { Destination = "/tmp", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "nodev", "mode=1777"] },
            ],
            Linux = new OciLinux { Namespaces = network == "host" ? [] : [new OciNamespace { Type = "network" }] },
        };
    }

    private static List<OciRlimit> InheritedLimits()
    {
        (string Name, int Number)[] limits = [("RLIMIT_NOFILE", 7), ("RLIMIT_STACK", 3), ("RLIMIT_CORE", 4), ("RLIMIT_FSIZE", 1)];
        List<OciRlimit> list = [];
        foreach ((string name, int number) in limits)
        {
            if (HostLimits.Get(number).TryGet(out (ulong Soft, ulong Hard) limit, out _))
            {
                list.Add(new OciRlimit { Type = name, Soft = limit.Soft, Hard = limit.Hard });
            }
        }

        return list;
    }
}
