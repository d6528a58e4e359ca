using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>help</c>: print this text, or what a command takes.</summary>
internal sealed class HelpCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "help";

    /// <inheritdoc/>
    public string Usage => "[command]";

    /// <inheritdoc/>
    public string Summary => "print this text, or what a command takes";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        if (flags.Arguments.Count > 0)
        {
            ICommand command = CommandLine.Find(flags.Arguments[0]) ?? throw new RuntimeException($"unknown command \"{flags.Arguments[0]}\"");
            Describe(command);
            return 0;
        }

        Console.Out.Write("Usage: runsc [global flags] <command> [flags] [arguments]\n\nCommands:\n");
        foreach (ICommand command in CommandLine.Commands.Where(static command => command.Summary.Length > 0))
        {
            Console.Out.Write($"  {command.Name,-12}{command.Summary}\n");
        }

        Console.Out.Write("\n\"runsc flags\" prints the global flags, \"runsc help <command>\" what a command takes.\n");
        return 0;
    }

    /// <summary>Prints what a command takes.</summary>
    public static void Describe(ICommand command)
    {
        Console.Out.Write($"Usage: runsc [global flags] {command.Name} {command.Usage}\n\n{command.Summary}\n");
        if (command.Flags.Count > 0)
        {
            Console.Out.Write("\nFlags:\n");
            FlagHelp.Write(Console.Out, command.Flags);
        }
    }
}
