using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>resume</c>: let a paused container go on.</summary>
internal sealed class ResumeCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "resume";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "let a paused container go on";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        Container.Open(context.Options, CommandContext.OneId(this, flags)).Resume();
        return 0;
    }
}
