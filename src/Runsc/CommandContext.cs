using System.Globalization;
using Moat.Control;
using Moat.Host;
using Moat.Linux;
using Moat.Runtime;
using Runsc.Flags;

namespace Runsc;

/// <summary>The global flags, made ready for subcommands.</summary>
internal sealed class CommandContext(FlagSet globals, ErrorLog errors, string command)
{
    /// <summary>The version that is shown.</summary>
    public const string Version = "0.1.0";

    /// <summary>The global flags.</summary>
    public FlagSet Globals => globals;

    /// <summary>Where errors and warnings go.</summary>
    public ErrorLog Errors => errors;

    /// <summary>Where the state of containers is kept.</summary>
    public string Root => globals.TextOrNull("root") is { } given ? Path.GetFullPath(given) : DefaultRoot();

    /// <summary>What the lifecycle needs to know.</summary>
    public RuntimeOptions Options => new()
    {
        Root = Root,
        IgnoreCgroups = globals.IsSet("ignore-cgroups"),
        SystemdCgroup = globals.IsSet("systemd-cgroup"),
        Rootless = IsRootless,
        OpenDebugLog = OpenDebugLog,
        Sandbox = new SandboxFlags
        {
            Platform = globals.Text("platform"),
            DisableSyscallPatching = globals.IsSet("systrap-disable-syscall-patching"),
            DisableSpinning = globals.IsSet("systrap-disable-spinning"),
            Network = globals.Text("network"),
            Debug = globals.IsSet("debug"),
            Strace = globals.IsSet("strace"),
            StraceSyscalls = globals.Text("strace-syscalls").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            StraceLogSize = globals.Number("strace-log-size"),
            BugInSyscall = globals.Text("TESTONLY-bug-in-syscall"),
            CountAllocations = globals.IsSet("TESTONLY-count-allocations"),
            Overlay2 = CheckOverlay(globals.IsSet("overlay") ? "all:memory" : globals.Text("overlay2")),
            OciSeccomp = globals.IsSet("oci-seccomp"),
            FileAccess = globals.Text("file-access"),
            FileAccessMounts = globals.Text("file-access-mounts"),
        },
    };

    /// <summary>Whether --strace was given with nowhere to print to. <c>do</c> prints to standard error, as strace(1); what other commands start outlives them and their standard error.</summary>
    public bool TracesNowhere => globals.IsSet("strace") && !TracesToStandardError && globals.TextOrNull("debug-log-dir") is null && globals.TextOrNull("debug-log") is null;

    /// <summary>Whether everything must work without privileges.</summary>
    public bool IsRootless => globals.IsSet("rootless") || HostIdentity.Uid != 0;

    /// <summary>The only argument of a command that takes a container's id.</summary>
    public static string OneId(ICommand command, FlagSet flags) =>
        flags.Arguments.Count == 1 ? flags.Arguments[0] : throw new RuntimeException($"{command.Name}: usage: runsc {command.Name} {command.Usage}");

    /// <summary>Checks values that have a form of their own.</summary>
    /// <exception cref="RuntimeException">One does not have it.</exception>
    public static void CheckValues(FlagSet globals) => CheckOverlay(globals.Text("overlay2"));

    private bool TracesToStandardError => command == "do" && globals.IsSet("strace");

    private static string DefaultRoot()
    {
        uint uid = HostIdentity.Uid;
        return uid == 0 ? "/var/run/runsc"
            : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? Path.Combine(runtime, "runsc")
            : string.Create(CultureInfo.InvariantCulture, $"/tmp/runsc-{uid}");
    }

    private static string CheckOverlay(string value)
    {
        string[] parts = value.Split([':', ','], 3);
        return value == "none" || (parts.Length == 2 && parts[0] is "root" or "all" && parts[1] is "memory" or "self") ? value
            : throw new RuntimeException($"flag -overlay2: \"{value}\" is not supported (supported: none, root:memory, root:self, all:memory, all:self)");
    }

    private int OpenDebugLog(string role, string id)
    {
        string? path = DebugLogPath(role, id);
        if (path is null)
        {
            return role == "boot" && TracesToStandardError ? DuplicateStandardError() : -1;
        }

        string folder = Path.GetDirectoryName(path)!;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"debug log: cannot make {folder}: {HostFault.Describe(e)}", e);
        }

        return HostPath.OpenFile(path, OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_APPEND).TryGet(out int fd, out Errno errno) ? fd
            : throw new RuntimeException($"debug log {path}: {ErrorText.Describe(errno)}");
    }

    private static int DuplicateStandardError()
    {
        const int DuplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC
        SyscallResult duplicate = HostCall.Invoke(SyscallNumber.fcntl, 2, DuplicateCloseOnExec, 3);
        return duplicate.IsError ? -1 : (int)duplicate.Raw;
    }

    private string? DebugLogPath(string role, string id)
    {
        string pattern = globals.TextOrNull("debug-log-dir") is { } folder ? Path.GetFullPath(folder) + "/" : globals.Text("debug-log");
        if (pattern.Length == 0)
        {
            return null;
        }

        if (pattern.EndsWith('/'))
        {
            pattern += "runsc.log.%TIMESTAMP%.%COMMAND%.%ID%.txt";
        }

        return Path.GetFullPath(pattern
            .Replace("%TIMESTAMP%", DateTime.Now.ToString("yyyyMMdd-HHmmss.ffffff", CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("%COMMAND%", role.Length > 0 ? role : command, StringComparison.Ordinal)
            .Replace("%ID%", id, StringComparison.Ordinal)
            .Replace("%CID%", id, StringComparison.Ordinal));
    }
}
