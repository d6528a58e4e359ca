using Moat.Host;
using Moat.Oci;
using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>spec</c>: write a configuration to start from.</summary>
internal sealed class SpecCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "spec";

    /// <inheritdoc/>
    public string Usage => "[--bundle DIR] [--cwd DIR] [--netns FILE] [-- args...]";

    /// <inheritdoc/>
    public string Summary => "write a configuration to start from";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("bundle", FlagKind.Text, "", "directory of the bundle", Alias: "b"),
        new("cwd", FlagKind.Text, "/", "working directory in the container"),
        new("netns", FlagKind.Text, "", "network namespace to join"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string path = Path.Combine(Path.GetFullPath(flags.TextOrNull("bundle") ?? "."), "config.json");
        if (File.Exists(path))
        {
            throw new RuntimeException($"{path} exists already");
        }

        bool isTerminal = flags.Arguments.Count == 0;
        OciSpec spec = SpecTemplate.Create(isTerminal ? ["sh"] : flags.Arguments, flags.Text("cwd"), flags.TextOrNull("netns"), isTerminal);
        try
        {
            File.WriteAllText(path, SpecTemplate.Write(spec));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot write {path}: {HostFault.Describe(e)}", e);
        }

        return 0;
    }
}
