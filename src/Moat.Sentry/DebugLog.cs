using System.Globalization;
using System.Text;
using Moat.Host;
using Moat.Kernel;

namespace Moat.Sentry;

/// <summary>The Sentry's log: a line each, with time and level, into a descriptor that was opened before the Sentry was shut in. Any thread.</summary>
/// <param name="fd">Where to; -1 for nowhere.</param>
/// <param name="isDebug">Whether details are wanted.</param>
public sealed class DebugLog(int fd, bool isDebug) : IKernelLog
{
    /// <inheritdoc/>
    public bool IsDebug => isDebug && fd >= 0;

    /// <inheritdoc/>
    public void Debug(string message)
    {
        if (IsDebug)
        {
            Write('D', message);
        }
    }

    /// <inheritdoc/>
    public void Warning(string message) => Write('W', message);

    /// <inheritdoc/>
    public void Error(string message, Exception? exception = null) => Write('E', exception is null ? message : $"{message}: {exception}");

    private void Write(char level, string message)
    {
        if (fd >= 0)
        {
            string line = string.Create(CultureInfo.InvariantCulture, $"{level} {DateTime.UtcNow:MMdd HH:mm:ss.ffffff} {message}\n");
            HostFile.Write(fd, Encoding.UTF8.GetBytes(line)); // a log that can't be written is no reason to stop
        }
    }
}
