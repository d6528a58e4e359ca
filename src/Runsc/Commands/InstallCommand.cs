using Moat.Runtime;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>install</c>: add this program to the runtimes of Docker.</summary>
internal sealed class InstallCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "install";

    /// <inheritdoc/>
    public string Usage => "[--config_file FILE] [--runtime NAME] [-- global flags...]";

    /// <inheritdoc/>
    public string Summary => "add this program to the runtimes of Docker, with the global flags that stand before the command or after --";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("config_file", FlagKind.Text, "/etc/docker/daemon.json", "Docker's configuration"),
        new("runtime", FlagKind.Text, "runsc", "name of the runtime"),
        new("clobber", FlagKind.Boolean, "true", "replace a runtime with this name"),
        new("experimental", FlagKind.Boolean, "false", "accepted, has no effect"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string path = flags.Text("config_file");
        string name = flags.Text("runtime");
        IReadOnlyList<string> arguments = [.. context.Globals.Given, .. flags.Arguments];
        CheckArguments(flags.Arguments);
        DockerConfig config = DockerConfig.Load(path);
        string? before = config.Describe(name);
        config.AddRuntime(name, Environment.ProcessPath!, arguments, flags.IsSet("clobber"));
        string after = config.Describe(name)!;
        if (before == after)
        {
            Console.Out.WriteLine($"Runtime {name} is in {path} already, with {after}. Nothing was changed.");
            return 0;
        }

        config.Save();
        Console.Out.WriteLine(before is null ? $"Added runtime {name} to {path}, with {after}. Restart Docker to use it." : $"Changed runtime {name} in {path} from {before} to {after}. Restart Docker to use it.");
        return 0;
    }

    // What engines would be told of at each start of a container is told here.
    private static void CheckArguments(IReadOnlyList<string> arguments)
    {
        FlagSet given = new(GlobalFlags.All);
        if (given.Parse(arguments) is { } fault)
        {
            throw new RuntimeException($"install: {fault}");
        }

        if (given.Arguments.Count > 0)
        {
            throw new RuntimeException($"install: \"{given.Arguments[0]}\" is no flag");
        }

        CommandContext.CheckValues(given);
    }
}
