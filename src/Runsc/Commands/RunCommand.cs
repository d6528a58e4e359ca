using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>run</c>: make and start a container, wait for its end and remove it.</summary>
internal sealed class RunCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "run";

    /// <inheritdoc/>
    public string Usage => "[flags] <id>";

    /// <inheritdoc/>
    public string Summary => "make and start a container, wait for its end and remove it";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        .. CreateFlags.All,
        new("detach", FlagKind.Boolean, "false", "do not wait for its end", Alias: "d"),
        new("keep", FlagKind.Boolean, "false", "accepted, has no effect", ["false"]),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        bool isDetached = flags.IsSet("detach");
        CreateOptions create = CreateFlags.Read(context, flags, CommandContext.OneId(this, flags), isDetached);
        if (!isDetached)
        {
            return ForegroundRun.Run(context.Options, create, context.Errors.Warning);
        }

        ContainerCreator.Create(context.Options, create, context.Errors.Warning);
        try
        {
            foreach (string fault in Container.Open(context.Options, create.Id).Start())
            {
                context.Errors.Warning(fault);
            }
        }
        catch (RuntimeException)
        {
            Container.Delete(context.Options, create.Id, isForced: true);
            throw;
        }

        return 0;
    }
}
