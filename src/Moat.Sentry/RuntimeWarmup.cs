namespace Moat.Sentry;

/// <summary>Touches what the runtime loads on first use, while files may still be opened.</summary>
internal static class RuntimeWarmup
{
    /// <summary>Throws and catches an exception, formats a time, starts a thread, and collects.</summary>
    public static void Run()
    {
        try
        {
            throw new InvalidOperationException("warm-up");
        }
        catch (InvalidOperationException e)
        {
            _ = e.ToString(); // stack traces read tables of the executable
        }

        _ = DateTime.UtcNow.ToString("MMdd HH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture);
        Thread thread = new(static () => { }) { IsBackground = true };
        thread.Start();
        thread.Join();
        GC.Collect(0);
    }
}
