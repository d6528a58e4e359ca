using Moat.Runtime;
using Runsc.Flags;
using System.Text.Json;

namespace Runsc.Commands;

/// <summary><c>wait</c>: wait until a container, or a process in it, has ended.</summary>
internal sealed class WaitCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "wait";

    /// <inheritdoc/>
    public string Usage => "[--pid N] <id>";

    /// <inheritdoc/>
    public string Summary => "wait until a container, or a process in it, has ended";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("pid", FlagKind.Number, "0", "wait for this process in the container", Alias: "rootpid"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string id = CommandContext.OneId(this, flags);
        int status = Container.Open(context.Options, id).Wait(flags.Number("pid"));
        Console.Out.WriteLine(JsonSerializer.Serialize(new WaitResult(id, status), CommandJson.Default.WaitResult));
        return 0;
    }
}
