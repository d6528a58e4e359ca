using Runsc.Flags;

namespace Runsc;

/// <summary>A subcommand.</summary>
internal interface ICommand
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>What follows the name.</summary>
    string Usage { get; }

    /// <summary>One line; empty for a command that only runsc itself calls.</summary>
    string Summary { get; }

    /// <summary>Its flags.</summary>
    IReadOnlyList<FlagDefinition> Flags { get; }

    /// <summary>Carries it out and returns the exit status.</summary>
    /// <exception cref="Moat.Runtime.RuntimeException">It fails, with the line to say.</exception>
    int Run(CommandContext context, FlagSet flags);
}
