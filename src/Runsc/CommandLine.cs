using Runsc.Commands;

namespace Runsc;

/// <summary>Finds the subcommand and runs it.</summary>
internal static class CommandLine
{
    /// <summary>The exit status when runsc itself fails.</summary>
    public const int Failure = 128;

    private const string Usage = """
        Usage: runsc [flags] <command> [arguments]

        Commands:
          do     run a command in a sandbox, with the host's files read-only
          help   print this text

        Flags:
          -platform ptrace          how application code is run
          -strace                   print system calls to the debug log
          -strace-syscalls a,b      only these
          -debug                    write details to the debug log
          -debug-log FILE           the debug log
          -version                  print the version

        """;

    /// <summary>Runs a command line.</summary>
    public static int Run(string[] arguments)
    {
        if (GlobalFlags.Parse(arguments, out int rest, out string? error) is not { } flags)
        {
            return Fail(error!);
        }

        if (flags.IsSet("version"))
        {
            Console.Out.Write("runsc version 0.1.0\nspec: 1.2.0\n");
            return 0;
        }

        string command = flags.IsSet("help") || rest == arguments.Length ? "help" : arguments[rest];
        string[] own = arguments[Math.Min(rest + 1, arguments.Length)..];
        try
        {
            switch (command)
            {
                case "do":
                    return Do.Run(flags, own);
                case "help":
                    Console.Out.Write(Usage);
                    return 0;
                default:
                    return Fail($"unknown command \"{command}\"");
            }
        }
        catch (InvalidOperationException exception)
        {
            return Fail(exception.Message);
        }
    }

    /// <summary>Says one line on standard error.</summary>
    public static int Fail(string message)
    {
        Console.Error.WriteLine($"runsc: {message}");
        return Failure;
    }
}
