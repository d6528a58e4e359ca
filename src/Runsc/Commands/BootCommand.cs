using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>boot</c>: a container's Sentry, started by create with its configuration on a descriptor.</summary>
internal sealed class BootCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "boot";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        return Moat.Sentry.SentryProcess.Run();
    }
}
