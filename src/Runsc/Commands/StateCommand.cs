using Moat.Oci;
using Moat.Runtime;
using Runsc.Flags;
using System.Text.Json;

namespace Runsc.Commands;

/// <summary><c>state</c>: print the state of a container.</summary>
internal sealed class StateCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "state";

    /// <inheritdoc/>
    public string Usage => "<id>";

    /// <inheritdoc/>
    public string Summary => "print the state of a container";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        Container container = Container.Open(context.Options, CommandContext.OneId(this, flags));
        OciState state = container.Record.ToState(container.Status);
        Console.Out.WriteLine(JsonSerializer.Serialize(state, OciJson.Default.OciState));
        return 0;
    }
}
