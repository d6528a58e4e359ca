using System.Globalization;
using System.Text;
using System.Text.Json;
using Moat.Host;

namespace Runsc;

/// <summary>Says what went wrong: a line on standard error, and one in the file of --log in the form in which runc writes it, since engines read it from there.</summary>
/// <param name="path">The log; null for none.</param>
/// <param name="isJson">Whether its lines are JSON.</param>
internal sealed class ErrorLog(string? path, bool isJson)
{
    /// <summary>The command has failed.</summary>
    public void Error(string message) => Write("error", message, isShown: true);

    /// <summary>Something went wrong that does not stop the command. With a log it is said only there: standard error is the container's.</summary>
    public void Warning(string message) => Write("warning", message, isShown: path is null);

    private void Write(string level, string message, bool isShown)
    {
        message = PrintableText.Clean(message.ReplaceLineEndings(" "));
        if (isShown)
        {
            Console.Error.WriteLine($"runsc: {message}");
        }

        if (path is null)
        {
            return;
        }

        string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string line = isJson
            ? $"{{\"level\":\"{level}\",\"msg\":\"{JsonEncodedText.Encode(message)}\",\"time\":\"{time}\"}}\n"
            : $"time=\"{time}\" level={level} msg=\"{JsonEncodedText.Encode(message)}\"\n";
        try
        {
            File.AppendAllText(path, line, new UTF8Encoding(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"runsc: cannot write to the log {path}: {HostFault.Describe(e)}");
        }
    }
}
