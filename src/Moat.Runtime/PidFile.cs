using System.Globalization;
using Moat.Host;

namespace Moat.Runtime;

/// <summary>A file with a process id.</summary>
public static class PidFile
{
    /// <summary>Writes it in one step, for whoever watches it.</summary>
    /// <exception cref="RuntimeException">The host refuses.</exception>
    public static void Write(string path, int pid)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.{Environment.ProcessId}");
        try
        {
            File.WriteAllText(temporary, pid.ToString(CultureInfo.InvariantCulture));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot write {path}: {HostFault.Describe(e)}", e);
        }
    }
}
