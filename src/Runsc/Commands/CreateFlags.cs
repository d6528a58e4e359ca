using Moat.Oci;
using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary>The flags that create and run have in common.</summary>
internal static class CreateFlags
{
    private const int MaxPreserved = 1000;

    /// <summary>The flags.</summary>
    public static readonly IReadOnlyList<FlagDefinition> All =
    [
        new("bundle", FlagKind.Text, "", "directory of the bundle (default: the current one)", Alias: "b"),
        new("console-socket", FlagKind.Text, "", "socket that gets the master of the container's terminal"),
        new("pid-file", FlagKind.Text, "", "file that gets the process id"),
        new("user-log", FlagKind.Text, "", "accepted, has no effect"),
        new("preserve-fds", FlagKind.Number, "0", "how many descriptors from 3 on the process inherits"),
        new("no-pivot", FlagKind.Boolean, "false", "accepted, has no effect"),
        new("no-new-keyring", FlagKind.Boolean, "false", "accepted, has no effect"),
    ];

    /// <summary>Loads the bundle and puts together what is to be made.</summary>
    public static CreateOptions Read(CommandContext context, FlagSet flags, string id, bool isDetached)
    {
        if (context.TracesNowhere)
        {
            context.Errors.Warning("--strace prints nothing without --debug-log or --debug-log-dir");
        }

        string bundle = Path.GetFullPath(flags.TextOrNull("bundle") ?? ".");
        if (!BundleLoader.Load(bundle).TryGet(out OciSpec? spec, out string? error))
        {
            throw new RuntimeException(error);
        }

        int preserved = flags.Number("preserve-fds");
        return preserved is >= 0 and <= MaxPreserved ? new CreateOptions
        {
            Id = id,
            Bundle = bundle,
            Spec = spec,
            ConsoleSocket = flags.TextOrNull("console-socket"),
            PidFile = flags.TextOrNull("pid-file"),
            PreservedFds = preserved,
            IsDetached = isDetached,
        }
        : throw new RuntimeException($"flag -preserve-fds: must be between 0 and {MaxPreserved}");
    }
}
