using System.Globalization;

namespace Moat.Engine.Tests;

/// <summary>PostgreSQL in one container and its clients in another, which find it by name on a network of Docker's.</summary>
[Collection(DockerDaemon.Collection)]
public sealed class DockerDatabaseTests(DockerDaemon daemon) : IDisposable
{
    private const string Network = "data";
    private const string Server = "database";
    private const string Programs = "/usr/lib/postgresql/15/bin";
    private const string User = "postgres"; // root is refused

    private const string Serve = $"""
        {Programs}/initdb -N -D /data/db -U client -A trust > /dev/null &&
        echo 'host all all all trust' >> /data/db/pg_hba.conf &&
        exec {Programs}/postgres -D /data/db -c listen_addresses='*' -c unix_socket_directories=/tmp
        """;

    // What every transaction of pgbench adds to one row of each table is in the history as well.
    private const string Sums = "select count(*), sum(delta) = (select sum(abalance) from pgbench_accounts), sum(delta) = (select sum(bbalance) from pgbench_branches) from pgbench_history";

    public void Dispose()
    {
        daemon.Docker("rm", "-f", Server);
        daemon.Docker("network", "rm", Network);
    }

    [Fact]
    public void Pgbench_LosesNoTransaction()
    {
        bool mayTakeLong = Environment.GetEnvironmentVariable("MOAT_STRESS") is { Length: > 0 };
        int clients = mayTakeLong ? 16 : 4;
        int transactions = mayTakeLong ? 500 : 10;
        string programs = DebianImage.ImportInto(daemon);
        daemon.Must("network", "create", Network);
        daemon.Must([.. Run("-d", $"--name {Server} --tmpfs /data:mode=1777 {programs}"), Serve]);

        // Three ways of talking: a text for each statement, prepared statements, a connection for each transaction.
        string bench = string.Create(CultureInfo.InvariantCulture, $"{Programs}/pgbench -n -c {clients} -j 2 -t {transactions}");
        string script = $"""
            export PGHOST={Server} PGUSER=client PGDATABASE=postgres
            until {Programs}/pg_isready -q; do sleep 0.1; done
            {Programs}/pgbench -i -q 2> /dev/null &&
            {bench} &&
            {bench} -M prepared &&
            {bench} -C &&
            {Programs}/psql -At -c "{Sums}"
            """;
        CommandResult result = daemon.DockerWith(null, timeoutSeconds: mayTakeLong ? 1800 : 240, [.. Run("--rm", programs), script]);
        Assert.True(result.ExitCode == 0, $"{result.Error}\n{daemon.Docker("logs", Server).Error}");
        string done = string.Create(CultureInfo.InvariantCulture, $"{clients * transactions}");
        Assert.Equal(3, result.Output.Split($"number of transactions actually processed: {done}/{done}\n").Length - 1);
        Assert.Equal(3, result.Output.Split("number of failed transactions: 0 (0.000%)\n").Length - 1);
        Assert.EndsWith(string.Create(CultureInfo.InvariantCulture, $"\n{3 * clients * transactions}|t|t\n"), result.Output, StringComparison.Ordinal);
    }

    private static string[] Run(string how, string options) =>
        ["run", how, "--runtime=runsc", "--network", Network, "--user", User, .. options.Split(' '), DebianImage.Name, "sh", "-c"];
}
