using Moat.Host;
using Moat.Runtime;
using Runsc.Commands;
using Runsc.Flags;

namespace Runsc;

/// <summary>Finds the subcommand and runs it.</summary>
internal static class CommandLine
{
    /// <summary>The exit status when runsc itself fails.</summary>
    public const int Failure = 128;

    private static readonly string[] s_missing = ["checkpoint", "restore"];

    /// <summary>All subcommands, in the order of the help text.</summary>
    public static readonly IReadOnlyList<ICommand> Commands =
    [
        new DoCommand(), new RunCommand(), new CreateCommand(), new StartCommand(), new StateCommand(), new ExecCommand(), new KillCommand(), new DeleteCommand(), new ListCommand(),
        new PsCommand(), new WaitCommand(), new PauseCommand(), new ResumeCommand(), new UpdateCommand(), new EventsCommand(), new DebugCommand(), new SpecCommand(), new FeaturesCommand(),
        new InstallCommand(), new UninstallCommand(), new FlagsCommand(), new HelpCommand(), new BootCommand(), new GoferCommand(), new ExecProxyCommand(), new StandInCommand(), new ProbeCommand(),
    ];

    /// <summary>Runs a command line.</summary>
    public static int Run(string[] arguments)
    {
        FlagSet globals = new(GlobalFlags.All);
        string? fault = globals.Parse(arguments);
        ErrorLog errors = new(globals.TextOrNull("log"), globals.Text("log-format") != "text");
        if (fault is not null)
        {
            return Fail(errors, fault);
        }

        if (globals.IsSet("version"))
        {
            Console.Out.Write($"runsc version {CommandContext.Version}\nspec: {Moat.Oci.SpecVersions.Newest}\n");
            return 0;
        }

        string name = globals.IsSet("help") || globals.Arguments.Count == 0 ? "help" : globals.Arguments[0];
        ICommand? command = Find(name);
        if (command is null)
        {
            return Fail(errors, s_missing.Contains(name) ? $"{name}: containers cannot be saved and restored: this command is not implemented" : $"unknown command \"{name}\"");
        }

        FlagSet flags = new(command.Flags);
        fault = flags.Parse([.. globals.Arguments.Skip(1)]);
        if (flags.AsksForHelp)
        {
            HelpCommand.Describe(command);
            return 0;
        }

        if (fault is not null)
        {
            return Fail(errors, $"{name}: {fault}");
        }

        try
        {
            return command.Run(new CommandContext(globals, errors, name), flags);
        }
        catch (RuntimeException e)
        {
            errors.Error(e.Message);
            return e.ExitCode;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(errors, $"{name}: {HostFault.Describe(e)}");
        }
        catch (InvalidOperationException e)
        {
            return Fail(errors, $"{name}: {e.Message}");
        }
    }

    /// <summary>A subcommand by its name, or null.</summary>
    public static ICommand? Find(string name)
    {
        foreach (ICommand command in Commands)
        {
            if (command.Name == name)
            {
                return command;
            }
        }

        return null;
    }

    private static int Fail(ErrorLog errors, string message)
    {
        errors.Error(message);
        return Failure;
    }
}
