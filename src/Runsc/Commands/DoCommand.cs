using System.Collections;
using System.Text;
using Moat.Control;
using Moat.Host;
using Moat.Linux;
using Moat.Runtime;
using Moat.Sentry;
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
        if (!HostFile.OpenAt(HostFile.CurrentDirectory, Encoding.UTF8.GetBytes(root), OpenFlags.O_PATH | OpenFlags.O_DIRECTORY).TryGet(out int rootFd, out Errno errno))
        {
            throw new RuntimeException($"do: root {root}: {errno}");
        }

        List<string> environment = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment.Add($"{variable.Key}={variable.Value}");
        }

        SandboxFlags sandboxFlags = context.Options.Sandbox;
        HashSet<SyscallNumber>? only = null;
        foreach (string name in sandboxFlags.StraceSyscalls)
        {
            (only ??= []).Add(Enum.TryParse(name, out SyscallNumber number) ? number : throw new RuntimeException($"strace-syscalls: there is no system call \"{name}\""));
        }

        // The Sentry runs in this very process: the confined one needs the Gofer to open files for it.
        int logFd = context.Options.OpenDebugLog("do", "do");
        using Sandbox sandbox = new(new SandboxOptions
        {
            RootFd = rootFd,
            Arguments = flags.Arguments,
            Environment = environment,
            WorkingDirectory = flags.TextOrNull("cwd") ?? (root == "/" ? Environment.CurrentDirectory : "/"),
            Strace = sandboxFlags.Strace,
            StraceOnly = only,
            Log = new DebugLog(logFd, sandboxFlags.Debug || sandboxFlags.Strace),
        });
        int status = sandbox.Run(out string? error);
        if (error is not null)
        {
            context.Errors.Error(error);
        }

        return status;
    }
}
