using Moat.Oci;
using Moat.Runtime.Exec;
using Moat.Runtime;
using Runsc.Flags;
using System.Globalization;

namespace Runsc.Commands;

/// <summary><c>exec</c>: run a process in a running container.</summary>
internal sealed class ExecCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "exec";

    /// <inheritdoc/>
    public string Usage => "[flags] <id> [command...]";

    /// <inheritdoc/>
    public string Summary => "run a process in a running container";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("process", FlagKind.Text, "", "file with the process as a configuration has it; replaces the other flags and the command", Alias: "p"),
        new("cwd", FlagKind.Text, "", "working directory"),
        new("env", FlagKind.List, "", "NAME=value; may occur more than once", Alias: "e"),
        new("user", FlagKind.Text, "", "uid[:gid]", Alias: "u"),
        new("additional-gids", FlagKind.List, "", "supplementary groups", Alias: "g"),
        new("cap", FlagKind.List, "", "another capability", Alias: "c"),
        new("tty", FlagKind.Boolean, "false", "give it a terminal", Alias: "t"),
        new("detach", FlagKind.Boolean, "false", "do not wait for its end", Alias: "d"),
        new("pid-file", FlagKind.Text, "", "file that gets the id of the host's process that stands for it"),
        new("internal-pid-file", FlagKind.Text, "", "file that gets its process id in the container"),
        new("console-socket", FlagKind.Text, "", "socket that gets the master of its terminal"),
        new("preserve-fds", FlagKind.Number, "0", "how many descriptors from 3 on it inherits"),
        new("no-new-privs", FlagKind.Boolean, "false", "set no_new_privs"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        if (flags.Arguments.Count == 0)
        {
            throw new RuntimeException($"exec: usage: runsc exec {Usage}");
        }

        string id = flags.Arguments[0];
        RuntimeOptions options = context.Options;
        return ExecSession.Run(options, new ExecOptions
        {
            Id = id,
            Process = ReadProcess(options, id, flags),
            ConsoleSocket = flags.TextOrNull("console-socket"),
            PidFile = flags.TextOrNull("pid-file"),
            InternalPidFile = flags.TextOrNull("internal-pid-file"),
            IsDetached = flags.IsSet("detach"),
            PreservedFds = Math.Clamp(flags.Number("preserve-fds"), 0, 1000),
        });
    }

    private static OciProcess ReadProcess(RuntimeOptions options, string id, FlagSet flags)
    {
        if (flags.TextOrNull("process") is { } path)
        {
            return BundleLoader.LoadProcess(path).TryGet(out OciProcess? loaded, out string? error) ? loaded : throw new RuntimeException(error);
        }

        OciProcess template = Container.Open(options, id).Record.Spec.Process!;
        IReadOnlyList<string> capabilities = flags.List("cap");
        OciProcess process = template with
        {
            Args = [.. flags.Arguments.Skip(1)],
            Env = [.. template.Env, .. flags.List("env")],
            Cwd = flags.TextOrNull("cwd") ?? template.Cwd,
            Terminal = flags.IsSet("tty"),
            ConsoleSize = null,
            User = ReadUser(template.User, flags),
            Capabilities = capabilities.Count == 0 || template.Capabilities is not { } given ? template.Capabilities : given with
            {
                Bounding = [.. given.Bounding, .. capabilities],
                Effective = [.. given.Effective, .. capabilities],
                Permitted = [.. given.Permitted, .. capabilities],
            },
            NoNewPrivileges = template.NoNewPrivileges || flags.IsSet("no-new-privs"),
        };
        return SpecValidator.ValidateProcess(process) is { } fault ? throw new RuntimeException($"exec: {fault}") : process;
    }

    private static OciUser ReadUser(OciUser template, FlagSet flags)
    {
        OciUser user = template;
        if (flags.TextOrNull("user") is { } text)
        {
            string[] parts = text.Split(':');
            uint gid = 0;
            if (parts.Length > 2 || !uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint uid)
                || (parts.Length == 2 && !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out gid)))
            {
                throw new RuntimeException($"flag -user: \"{text}\" does not have the form uid[:gid]");
            }

            user = new OciUser { Uid = uid, Gid = gid };
        }

        List<uint> groups = [];
        foreach (string text2 in flags.List("additional-gids"))
        {
            groups.Add(uint.TryParse(text2, NumberStyles.None, CultureInfo.InvariantCulture, out uint gid) ? gid : throw new RuntimeException($"flag -additional-gids: \"{text2}\" is no group id"));
        }

        return groups.Count > 0 ? user with { AdditionalGids = groups } : user;
    }
}
