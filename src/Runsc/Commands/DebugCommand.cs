using System.Globalization;
using Moat.Control;
using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>debug</c>: print what a sandbox's kernel holds.</summary>
internal sealed class DebugCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "debug";

    /// <inheritdoc/>
    public string Usage => "--memory <id>";

    /// <inheritdoc/>
    public string Summary => "print what a sandbox's kernel holds";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags =>
    [
        new("memory", FlagKind.Boolean, "false", "collect garbage, then print counts of memory"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string id = CommandContext.OneId(this, flags);
        if (!flags.IsSet("memory"))
        {
            throw new RuntimeException($"{Name}: usage: runsc {Name} {Usage}");
        }

        SandboxMemory memory = Container.Open(context.Options, id).Ask(new ControlRequest { Method = ControlMethod.Memory }).Memory
            ?? throw new RuntimeException("the sandbox does not say what it holds");
        Print("heap-bytes", memory.HeapBytes);
        Print("committed-bytes", memory.CommittedBytes);
        Print("allocated-bytes", memory.AllocatedBytes);
        Print("collections", memory.Collections);
        Print("application-bytes", memory.ApplicationBytes);
        Print("tasks", memory.TaskCount);
        return 0;
    }

    private static void Print(string name, long value) => Console.Out.Write(string.Create(CultureInfo.InvariantCulture, $"{name} {value}\n"));
}
