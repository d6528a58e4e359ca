using Moat.Oci;
using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>update</c>: change the limits of a container.</summary>
internal sealed class UpdateCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "update";

    /// <inheritdoc/>
    public string Usage => "--resources <file|-> <id>";

    /// <inheritdoc/>
    public string Summary => "change the limits of a container";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("resources", FlagKind.Text, "", "file with limits as linux.resources of a configuration has them; - for standard input", Alias: "r"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string id = CommandContext.OneId(this, flags);
        string path = flags.TextOrNull("resources") ?? throw new RuntimeException("update: -resources is needed");
        if (!BundleLoader.LoadResources(path == "-" ? "/dev/stdin" : path).TryGet(out OciResources? resources, out string? error))
        {
            throw new RuntimeException(error);
        }

        foreach (string skipped in Container.Open(context.Options, id).Update(resources))
        {
            context.Errors.Warning($"without effect: {skipped}");
        }

        return 0;
    }
}
