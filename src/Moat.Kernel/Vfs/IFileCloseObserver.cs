namespace Moat.Kernel.Vfs;

/// <summary>Told when a file's last reference goes: an epoll instance that watches it without holding one.</summary>
public interface IFileCloseObserver
{
    /// <summary>The file is being closed; runs on the closing thread, without locks.</summary>
    void OnFileClosed();
}
