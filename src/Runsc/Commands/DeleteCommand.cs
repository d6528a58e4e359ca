using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>delete</c>: remove what is left of containers.</summary>
internal sealed class DeleteCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "delete";

    /// <inheritdoc/>
    public string Usage => "[--force] <id>...";

    /// <inheritdoc/>
    public string Summary => "remove what is left of containers";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("force", FlagKind.Boolean, "false", "kill it if it runs; one that does not exist is no fault", Alias: "f"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        if (flags.Arguments.Count == 0)
        {
            throw new RuntimeException("delete: usage: runsc delete [--force] <id>...");
        }

        foreach (string id in flags.Arguments)
        {
            foreach (string fault in Container.Delete(context.Options, id, flags.IsSet("force")))
            {
                context.Errors.Warning(fault);
            }
        }

        return 0;
    }
}
