using Moat.Runtime;
using Moat.Runtime.State;
using Runsc.Flags;
using System.Globalization;
using System.Text.Json;

namespace Runsc.Commands;

/// <summary><c>list</c>: list the containers of the root directory.</summary>
internal sealed class ListCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "list";

    /// <inheritdoc/>
    public string Usage => "[--quiet] [--format text|json]";

    /// <inheritdoc/>
    public string Summary => "list the containers of the root directory";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("quiet", FlagKind.Boolean, "false", "ids alone", Alias: "q"),
        new("format", FlagKind.Text, "text", "text or json", ["text", "json"], Alias: "f"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        List<(ContainerRecord Record, ContainerStatus Status)> containers = [];
        foreach (string id in ContainerDirectory.List(context.Root))
        {
            if (ContainerDirectory.Peek(context.Root, id) is { } record)
            {
                containers.Add((record, Container.StatusOf(context.Options.Root, record)));
            }
        }

        if (flags.IsSet("quiet"))
        {
            containers.ForEach(static container => Console.Out.WriteLine(container.Record.Id));
        }
        else if (flags.Text("format") == "json")
        {
            ListedContainer[] listed = [.. containers.Select(static container => ListedContainer.From(container.Record, container.Status))];
            Console.Out.WriteLine(JsonSerializer.Serialize(listed, CommandJson.Default.ListedContainerArray));
        }
        else
        {
            List<string[]> rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]];
            foreach ((ContainerRecord record, ContainerStatus status) in containers)
            {
                ListedContainer listed = ListedContainer.From(record, status);
                rows.Add([listed.Id, listed.Pid.ToString(CultureInfo.InvariantCulture), listed.Status, listed.Bundle, listed.Created, listed.Owner]);
            }

            TextTable.Write(Console.Out, rows);
        }

        return 0;
    }
}
