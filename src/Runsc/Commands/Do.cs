using System.Collections;
using Moat.Linux;
using Moat.Sentry;

namespace Runsc.Commands;

/// <summary><c>runsc do</c>: one command in a sandbox that sees the host's files; what it changes stays in the sandbox's memory.</summary>
internal static class Do
{
    /// <summary>Runs it; the exit status is the command's.</summary>
    public static int Run(GlobalFlags flags, string[] arguments)
    {
        string root = "/";
        string? cwd = null;
        int first = 0;
        for (; first < arguments.Length && arguments[first].StartsWith('-'); first++)
        {
            string argument = arguments[first].TrimStart('-');
            if (argument.StartsWith("root=", StringComparison.Ordinal))
            {
                root = argument["root=".Length..];
            }
            else if (argument.StartsWith("cwd=", StringComparison.Ordinal))
            {
                cwd = argument["cwd=".Length..];
            }
            else
            {
                return CommandLine.Fail($"do: flag provided but not defined: -{argument}");
            }
        }

        if (first == arguments.Length)
        {
            return CommandLine.Fail("do: a command is needed");
        }

        if (flags.Get("platform") is { } platform && platform != "ptrace")
        {
            return CommandLine.Fail($"platform \"{platform}\" is not there: ptrace is");
        }

        HashSet<SyscallNumber>? only = null;
        if (flags.Get("strace-syscalls") is { Length: > 0 } names)
        {
            only = [];
            foreach (string name in names.Split(','))
            {
                if (!Enum.TryParse(name, out SyscallNumber number))
                {
                    return CommandLine.Fail($"strace-syscalls: there is no system call \"{name}\"");
                }

                only.Add(number);
            }
        }

        int logFd = -1;
        if (flags.Get("debug-log") is { Length: > 0 } path)
        {
            const OpenFlags LogFlags = OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_APPEND;
            if (!Moat.Host.HostFile.OpenAt(Moat.Host.HostFile.CurrentDirectory, System.Text.Encoding.UTF8.GetBytes(path), LogFlags).TryGet(out logFd, out Errno failure))
            {
                return CommandLine.Fail($"debug-log {path}: {failure}");
            }
        }

        if (!Moat.Host.HostFile.OpenAt(Moat.Host.HostFile.CurrentDirectory, System.Text.Encoding.UTF8.GetBytes(root), OpenFlags.O_PATH | OpenFlags.O_DIRECTORY).TryGet(out int rootFd, out Errno errno))
        {
            return CommandLine.Fail($"root {root}: {errno}");
        }

        List<string> environment = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment.Add($"{variable.Key}={variable.Value}");
        }

        using Sandbox sandbox = new(new SandboxOptions
        {
            RootFd = rootFd,
            Arguments = arguments[first..],
            Environment = environment,
            WorkingDirectory = cwd ?? (root == "/" ? Environment.CurrentDirectory : "/"),
            Strace = flags.IsSet("strace"),
            StraceOnly = only,
            Log = new DebugLog(logFd, flags.IsSet("debug") || flags.IsSet("strace")),
        });
        int status = sandbox.Run(out string? error);
        if (error is not null)
        {
            Console.Error.WriteLine($"runsc: {error}");
        }

        return status;
    }
}
